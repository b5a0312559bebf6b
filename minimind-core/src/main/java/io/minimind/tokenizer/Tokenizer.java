package io.minimind.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by several
 * threads.
 */
public interface Tokenizer {

  /**
   * Loads a tokenizer.
   *
   * @param path a {@code tokenizer.json}, or the folder that holds it
   * @throws IOException if there is none, or it is malformed or of an unsupported kind; the message
   *     is a sentence that names the file and the place in it
   */
  static Tokenizer load(Path path) throws IOException {
    Path file = path;
    if (Files.isDirectory(path)) {
      file = path.resolve("tokenizer.json");
      if (!Files.exists(file) && Files.exists(path.resolve("tokenizer.model"))) {
        file = path.resolve("tokenizer.model");
      }
    }
    if (file.toString().endsWith(".model")) {
      throw new IOException(
          "Tokenizer file %s is a SentencePiece model, which is not supported; expected a tokenizer.json."
              .formatted(file));
    }
    return ByteLevelBpeTokenizer.load(file);
  }

  /** Number of ids, special tokens included: every id lies in {@code [0, vocabularySize())}. */
  int vocabularySize();

  /**
   * Encodes a text. Nothing is added at the start or the end; special tokens that are written in
   * the text are recognised.
   *
   * @param text any string; unpaired surrogates count as U+FFFD
   * @return the ids, empty for an empty text
   */
  int[] encode(String text);

  /**
   * Decodes ids, special tokens included as they are written. Bytes that form no valid UTF-8 become
   * U+FFFD.
   *
   * @throws IllegalArgumentException if an id is out of range
   */
  String decode(int[] ids);

  /**
   * The id of a token, special tokens included, if the vocabulary has it.
   *
   * @param token as the vocabulary spells it, where a byte-level one writes a space as {@code Ġ}
   */
  OptionalInt tokenId(String token);

  /** A decoder that is fed one id at a time and never emits half a character. */
  StreamingDecoder streamingDecoder();
}

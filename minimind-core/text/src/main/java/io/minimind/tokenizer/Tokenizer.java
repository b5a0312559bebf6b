package io.minimind.tokenizer;

import io.minimind.files.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by several
 * threads.
 */
public interface Tokenizer {

  /**
   * Loads a tokenizer. What a file is follows from its contents.
   *
   * @param path a {@code tokenizer.json}, a SentencePiece {@code .model} (see {@link
   *     SentencePieceTokenizer} for the library it needs), or a folder that holds {@code
   *     tokenizer.json} or else {@code tokenizer.model}
   * @throws IOException if there is none, or it is malformed or of an unsupported kind; the message
   *     is a sentence that names the file and the place in it
   */
  static Tokenizer load(Path path) throws IOException {
    Path file = Files.isDirectory(path) ? file(path) : path;
    if (Files.isDirectory(path) && Files.notExists(file)) {
      throw new IOException(
          "There is no tokenizer in %s: expected tokenizer.json or tokenizer.model."
              .formatted(path));
    }
    return SentencePieceTokenizer.isModel(file)
        ? SentencePieceTokenizer.load(file)
        : TokenizerJson.read(file);
  }

  /** The file of a folder's tokenizer: {@code tokenizer.json}, or else {@code tokenizer.model}. */
  static Path file(Path folder) {
    Path json = folder.resolve(ModelFiles.TOKENIZER);
    Path model = folder.resolve(ModelFiles.SENTENCE_PIECE);
    return Files.exists(model) && !Files.exists(json) ? model : json;
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
   * Encodes as {@link #encode} does, but takes special tokens that are written in the text for
   * ordinary text: what a stranger writes cannot end a message or begin another.
   */
  int[] encodeOrdinary(String text);

  /**
   * Encodes as {@link #encode} does and adds the special tokens that the tokenizer's file asks for
   * around a text, such as one that begins it.
   */
  int[] encodeWithSpecialTokens(String text);

  /** Encodes as {@link #encode} does and says where in the text each token comes from. */
  Encoding encodeWithOffsets(String text);

  /** Encodes each text as {@link #encode} does, on all processors; the order is kept. */
  default List<int[]> encodeBatch(List<String> texts) {
    return texts.parallelStream().map(this::encode).toList();
  }

  /**
   * Decodes ids, special tokens included as they are written. Bytes that form no valid UTF-8 become
   * U+FFFD.
   *
   * @throws IllegalArgumentException if an id is out of range
   */
  default String decode(int[] ids) {
    return decode(ids, false);
  }

  /**
   * Decodes ids as {@link #decode(int[])} does.
   *
   * @param skipSpecialTokens whether special tokens are left out
   * @throws IllegalArgumentException if an id is out of range
   */
  String decode(int[] ids, boolean skipSpecialTokens);

  /** A decoder that is fed one id at a time and never emits half a character. */
  StreamingDecoder streamingDecoder();

  /**
   * The id of a token, special tokens included, if the vocabulary has it.
   *
   * @param token as the vocabulary spells it, where a byte-level one writes a space as {@code Ġ}
   *     and SentencePiece as {@code ▁}
   */
  OptionalInt tokenId(String token);

  /**
   * The token of an id, as the vocabulary spells it; empty for an id in range without a token.
   *
   * @throws IllegalArgumentException if the id is out of range
   */
  Optional<String> token(int id);

  /** The special tokens and their ids, in the order of their ids; it cannot be modified. */
  Map<String, Integer> specialTokens();

  /**
   * Whether an id is that of a special token.
   *
   * @throws IllegalArgumentException if the id is out of range
   */
  default boolean isSpecial(int id) {
    return token(id).map(specialTokens()::containsKey).orElse(false);
  }

  /**
   * The bytes that a token adds to a text; they may be a part of a character. None for special
   * tokens and for ids in range without a token.
   *
   * @throws IllegalArgumentException if the id is out of range
   * @throws UnsupportedOperationException if the tokenizer cannot tell
   */
  default byte[] bytes(int id) {
    throw new UnsupportedOperationException(
        "This tokenizer cannot tell the bytes of single tokens, which structured output needs.");
  }
}

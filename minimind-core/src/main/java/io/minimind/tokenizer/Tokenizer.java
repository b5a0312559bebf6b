package io.minimind.tokenizer;

import java.util.OptionalInt;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by several
 * threads.
 */
public interface Tokenizer {

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

  /** The id of a token, special tokens included, if the vocabulary has it. */
  OptionalInt tokenId(String token);

  /** A decoder that is fed one id at a time and never emits half a character. */
  StreamingDecoder streamingDecoder();
}

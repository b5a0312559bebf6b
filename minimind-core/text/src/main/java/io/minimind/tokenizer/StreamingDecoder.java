package io.minimind.tokenizer;

/**
 * Decodes a stream of ids. A character whose UTF-8 bytes are spread over several tokens is held
 * back until it is complete, so the pieces always join to what {@link Tokenizer#decode} gives.
 */
public interface StreamingDecoder {

  /**
   * Takes the next id.
   *
   * @return the characters that became complete, often empty
   * @throws IllegalArgumentException if the id is out of range
   */
  String next(int id);

  /** Ends the stream: an unfinished character becomes U+FFFD. The decoder may then be fed anew. */
  String finish();
}

package io.minimind.data;

/** Is told how far the encoding of a corpus is, many times a second, by one thread. */
@FunctionalInterface
public interface EncodingProgress {

  /**
   * Some more rows are encoded.
   *
   * @param bytesRead how much of the rows is read so far, of a file in bytes
   * @param bytesTotal how much there is, {@link Rows#size}; 0 if it is not known
   * @param rows rows read so far
   * @param tokens tokens written so far
   */
  void update(long bytesRead, long bytesTotal, long rows, long tokens);

  /** Another process encodes a corpus, which is waited for. */
  default void waiting() {}

  /** Samples on disk cannot be used and are encoded anew; the reason is a sentence. */
  default void rebuilding(String reason) {}

  /** Tells nobody. */
  static EncodingProgress none() {
    return (bytesRead, bytesTotal, rows, tokens) -> {};
  }
}

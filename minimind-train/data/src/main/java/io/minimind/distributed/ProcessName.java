package io.minimind.distributed;

/**
 * A process as people are told of it.
 *
 * @param host the name of its machine
 */
record ProcessName(int rank, String host) {

  /** For the beginning of a sentence. */
  String subject() {
    return "Rank %d (%s)".formatted(rank, host);
  }

  /** For the middle of a sentence. */
  @Override
  public String toString() {
    return "rank %d (%s)".formatted(rank, host);
  }
}

package io.minimind.data;

import java.io.IOException;

/** Encoded samples by number. Safe for use by several threads. */
public interface Samples {

  /** Number of samples, at least one group. */
  long size();

  /**
   * Samples that belong together, such as the two answers of a preference pair: so many after one
   * another, from a multiple of this number on. They share a batch and a side of a split.
   */
  default int groupSize() {
    return 1;
  }

  /** Number of groups of samples that belong together. */
  default long groups() {
    return size() / groupSize();
  }

  /**
   * The log-probability that the reference model of preference training gives the targets of a
   * sample; 0 where there is none.
   */
  default float referenceLogProbability(long index) {
    return 0;
  }

  /** Number of ids of a sample, at least 2. */
  int length(long index);

  /** A length that no sample exceeds. */
  int longest();

  /**
   * Reads a sample.
   *
   * @param index in {@code [0, size())}
   * @param ids receives the ids; at least {@link #longest()} long
   * @param targets receives which of them count in the loss, as long as {@code ids}
   * @return the number of ids
   * @throws IOException if the sample on disk is damaged
   */
  int read(long index, int[] ids, boolean[] targets) throws IOException;
}

package io.minimind.data;

import io.minimind.artifact.BatchInput;
import java.io.IOException;
import java.util.List;

/** Encoded samples by number. Safe for use by several threads. */
public interface Samples {

  /** Samples that are kept in memory. */
  static Samples of(List<Sample> samples) {
    return of(samples, 1, List.of());
  }

  /**
   * Samples that are kept in memory.
   *
   * @param groupSize as {@link #groupSize}
   * @param columns what each of them has besides ids and targets
   * @throws IllegalArgumentException if a sample is shorter than 2 ids, lacks a column, or has not
   *     as many values of it as there should be
   */
  static Samples of(List<Sample> samples, int groupSize, List<BatchInput> columns) {
    return SamplesInMemory.of(samples, groupSize, columns);
  }

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

  /** What each of them has besides ids and targets. */
  default List<BatchInput> columns() {
    return List.of();
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

  /**
   * Reads what a sample has of a column, after its ids were read: the values of each id for an
   * input of tokens, else those of the sample; of an input of groups those of the group's first
   * sample count.
   *
   * @param column its index in {@link #columns()}
   * @param values receives them; long enough for the longest sample
   */
  default void readColumn(long index, int column, float[] values) throws IOException {
    throw new IndexOutOfBoundsException(column);
  }
}

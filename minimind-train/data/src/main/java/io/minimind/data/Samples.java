package io.minimind.data;

import io.minimind.artifact.BatchInput;
import java.io.IOException;
import java.nio.FloatBuffer;
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

  /**
   * Divides them into two views that share none and lose none: what to learn from, and then what to
   * hold out. Which sample goes where depends on the seed alone, and neither view holds anything in
   * memory.
   *
   * @param heldOut the share of the second view, in (0, 1); each gets at least one group
   * @throws IllegalArgumentException if the share is out of range or there are fewer than two
   *     groups
   */
  default List<Samples> split(double heldOut, long seed) {
    return Split.of(this, heldOut, seed);
  }

  /**
   * The same with one more column, which was computed beforehand.
   *
   * @param column values of each row
   * @param values in memory or mapped: those of each sample, in their order
   * @throws IllegalArgumentException if there are not as many values as there should be
   */
  default Samples with(BatchInput column, FloatBuffer values) {
    return AddedColumns.of(this, column, values);
  }

  /**
   * The same with more columns, which were computed beforehand.
   *
   * @param columns of any extent and width
   * @param values where their values are read
   */
  default Samples with(List<BatchInput> columns, ColumnValues values) {
    return new AddedColumns(this, columns, values);
  }

  /** Gives the values of added columns. Used by several threads at once. */
  @FunctionalInterface
  interface ColumnValues {

    /**
     * Reads what a sample has of an added column, as {@link Samples#readColumn} does.
     *
     * @param column its index among the added ones
     */
    void read(long index, int column, float[] values) throws IOException;
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

package io.minimind.data;

/** Rows of samples, in groups that share a batch. */
interface RowGroups {

  /** Number of groups, at least 1. */
  long count();

  /** Rows of a group. */
  int rowsOfEach();

  /** Positions that no row exceeds. */
  int longest();

  /**
   * The rows of a group, each as the numbers of the samples that stand in it one after the other.
   *
   * @param group in {@code [0, count())}
   */
  long[][] rows(long group);
}

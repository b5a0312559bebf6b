package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.files.ArgumentException;
import java.util.Arrays;

/**
 * Rows that several samples share. The samples are taken in pools of an order that follows from the
 * seed. The longest sample of a pool comes first, and each goes into the fullest row that has room
 * for it (Johnson 1974, "Fast Algorithms for Bin Packing": best fit decreasing). All rows are kept
 * in memory, 4 bytes for each of them and for each sample.
 */
final class PackedRows implements RowGroups {

  private static final int POOL = 512;
  private static final int MOST = Integer.MAX_VALUE - POOL;

  private final int rowLength;

  /** The samples, row by row. */
  private final int[] members;

  /** Where each row begins among these, and at last their number. */
  private final int[] starts;

  private PackedRows(Samples samples, int rowLength, long seed) {
    this.rowLength = rowLength;
    Permutation order = Permutation.of(samples.size(), Permutation.mix(seed, -1));
    int size = (int) samples.size();
    members = new int[size];
    int[] starts = new int[size + 1];
    int rows = 0;
    for (int first = 0; first < size; first += POOL) {
      int[] pool = new int[Math.min(POOL, size - first)];
      for (int i = 0; i < pool.length; i++) {
        pool[i] = (int) order.at(first + i);
      }
      for (int[] row : packed(samples, pool)) {
        System.arraycopy(row, 0, members, starts[rows], row.length);
        starts[rows + 1] = starts[rows] + row.length;
        rows++;
      }
    }
    this.starts = Arrays.copyOf(starts, rows + 1);
  }

  /**
   * @param rowLength positions of a row
   * @throws IllegalArgumentException if a sample is longer, or samples have something that a row
   *     can have only once
   */
  static PackedRows of(Samples samples, int rowLength, long seed) {
    for (BatchInput column : samples.columns()) {
      if (column.extent() != Extent.TOKEN) {
        throw new ArgumentException(
            "Samples cannot share a row: each of them has its own %s.".formatted(column.name()));
      }
    }
    if (samples.groupSize() > 1) {
      throw new ArgumentException(
          "Samples cannot share a row: %d of them belong together.".formatted(samples.groupSize()));
    }
    if (rowLength < samples.longest() - 1) {
      throw new ArgumentException(
          "A row of %d positions has no room for the longest sample, which takes %d."
              .formatted(rowLength, samples.longest() - 1));
    }
    if (samples.size() > MOST) {
      throw new ArgumentException(
          "Of %d samples none can share a row: there may be %d at most."
              .formatted(samples.size(), MOST));
    }
    return new PackedRows(samples, rowLength, seed);
  }

  @Override
  public long count() {
    return starts.length - 1;
  }

  @Override
  public int rowsOfEach() {
    return 1;
  }

  @Override
  public int longest() {
    return rowLength;
  }

  @Override
  public long[][] rows(long row) {
    int number = (int) row;
    return new long[][] {
      Arrays.stream(members, starts[number], starts[number + 1]).asLongStream().toArray()
    };
  }

  private int[][] packed(Samples samples, int[] pool) {
    long[] byLength = new long[pool.length];
    for (int i = 0; i < pool.length; i++) {
      byLength[i] = (long) samples.length(pool[i]) << Integer.SIZE | i;
    }
    Arrays.sort(byLength);
    int[] rooms = new int[pool.length];
    int[][] rows = new int[pool.length][];
    int used = 0;
    for (int i = pool.length - 1; i >= 0; i--) {
      int positions = (int) (byLength[i] >> Integer.SIZE) - 1;
      int row = fullest(rooms, used, positions);
      if (row == used) {
        used++;
        rooms[row] = rowLength;
        rows[row] = new int[0];
      }
      rooms[row] -= positions;
      rows[row] = Arrays.copyOf(rows[row], rows[row].length + 1);
      rows[row][rows[row].length - 1] = pool[(int) byLength[i]];
    }
    return Arrays.copyOf(rows, used);
  }

  /** The row with the least room of those that have enough, or else the next one. */
  private static int fullest(int[] rooms, int used, int positions) {
    int best = used;
    int least = Integer.MAX_VALUE;
    for (int row = 0; row < used; row++) {
      if (rooms[row] >= positions && rooms[row] < least) {
        best = row;
        least = rooms[row];
      }
    }
    return best;
  }
}

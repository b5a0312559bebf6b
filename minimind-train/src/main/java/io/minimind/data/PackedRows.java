package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.files.ArgumentException;
import java.util.Arrays;

/**
 * Rows that several samples share. The samples are taken in pools of an order that follows from the
 * seed. The longest sample of a pool comes first, and each goes into the fullest row that has room
 * for it (Johnson 1974, "Fast Algorithms for Bin Packing": best fit decreasing).
 *
 * <p>Only how many rows each pool gives is held; a pool is packed again whenever one of its rows is
 * asked for.
 */
final class PackedRows implements RowGroups {

  private static final int POOL = 512;

  private final Samples samples;
  private final int rowLength;
  private final Permutation order;

  /** Of each pool the number of its first row, and at last that of all rows. */
  private final long[] firstRows;

  private PackedRows(Samples samples, int rowLength, long seed) {
    this.samples = samples;
    this.rowLength = rowLength;
    this.order = Permutation.of(samples.size(), Permutation.mix(seed, -1));
    this.firstRows = new long[Math.toIntExact((samples.size() + POOL - 1) / POOL) + 1];
    for (int pool = 0; pool + 1 < firstRows.length; pool++) {
      firstRows[pool + 1] = firstRows[pool] + pack(pool).length;
    }
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
    return new PackedRows(samples, rowLength, seed);
  }

  @Override
  public long count() {
    return firstRows[firstRows.length - 1];
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
    int found = Arrays.binarySearch(firstRows, row);
    int pool = found >= 0 ? found : -found - 2;
    return new long[][] {pack(pool)[(int) (row - firstRows[pool])]};
  }

  private long[][] pack(int pool) {
    long first = (long) pool * POOL;
    int count = (int) Math.min(POOL, samples.size() - first);
    long[] members = new long[count];
    long[] byLength = new long[count];
    for (int i = 0; i < count; i++) {
      members[i] = order.at(first + i);
      byLength[i] = (long) samples.length(members[i]) << Integer.SIZE | i;
    }
    Arrays.sort(byLength);
    int[] rooms = new int[count];
    long[][] rows = new long[count][];
    int used = 0;
    for (int i = count - 1; i >= 0; i--) {
      long member = members[(int) byLength[i]];
      int positions = (int) (byLength[i] >> Integer.SIZE) - 1;
      int row = fullest(rooms, used, positions);
      if (row == used) {
        used++;
        rooms[row] = rowLength;
        rows[row] = new long[0];
      }
      rooms[row] -= positions;
      rows[row] = Arrays.copyOf(rows[row], rows[row].length + 1);
      rows[row][rows[row].length - 1] = member;
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

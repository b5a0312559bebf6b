package io.minimind.data;

import io.minimind.files.ArgumentException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Which samples form which batch of an epoch. Every sample comes once per epoch, in an order that
 * depends on seed and epoch alone; any batch can be asked for directly, which is how a stopped run
 * goes on where it was, and how several devices take turns.
 *
 * <p>The shuffled samples are taken in pools of 64 batches. Within a pool they are sorted by length
 * and cut into batches, so that a batch holds rows of similar length, and the batches are shuffled
 * again. Only one pool is ever in memory. The last batch of an epoch may be short.
 *
 * <p>Where several samples share a row, rows take the place of samples in all of this.
 *
 * <p>For devices that compute on one batch each and wait for one another, so many batches are cut
 * from one joint batch, whose rows they take in turn: they are about equally long. If the epoch's
 * last joint batch is short, all of them are, or there are fewer.
 */
public final class BatchOrder {
  public static final int MAX_BATCH_SIZE = 1 << 20;

  private static final int POOL_BATCHES = 64;

  private final Samples samples;
  private final RowGroups groups;
  private final int jointSize;
  private final int parts;
  private final long seed;
  private volatile Pool latest = new Pool(-1, -1, new long[0][][], 0, Permutation.of(1, 0));

  private BatchOrder(Samples samples, RowGroups groups, int jointSize, int parts, long seed) {
    this.samples = samples;
    this.groups = groups;
    this.jointSize = jointSize;
    this.parts = parts;
    this.seed = seed;
  }

  /**
   * The order of batches for a seed.
   *
   * @param batchSize samples per batch, 1 to 1,048,576; groups where samples belong together
   */
  public static BatchOrder of(Samples samples, int batchSize, long seed) {
    return of(samples, batchSize, 1, seed);
  }

  /**
   * The order of batches for several devices.
   *
   * @param batchSize samples per batch, 1 to 1,048,576; groups where samples belong together
   * @param parts batches that are cut from one joint batch, at least 1
   */
  public static BatchOrder of(Samples samples, int batchSize, int parts, long seed) {
    return of(samples, new SamplesAlone(samples), batchSize, parts, seed);
  }

  /**
   * The order of batches of rows that several samples share. Which of them do so follows from the
   * seed, and is the same in all epochs.
   *
   * @param rowLength positions of a row, which no sample may exceed
   * @param batchSize rows per batch, 1 to 1,048,576
   * @param parts batches that are cut from one joint batch, at least 1
   * @throws IllegalArgumentException if samples have something that a row can have only once
   */
  public static BatchOrder packed(
      Samples samples, int rowLength, int batchSize, int parts, long seed) {
    return of(samples, PackedRows.of(samples, rowLength, seed), batchSize, parts, seed);
  }

  private static BatchOrder of(
      Samples samples, RowGroups groups, int batchSize, int parts, long seed) {
    if (batchSize < 1 || (long) batchSize * parts > MAX_BATCH_SIZE) {
      throw new ArgumentException(
          "The batch size of all devices together is %d: it must lie between 1 and %d."
              .formatted((long) batchSize * parts, MAX_BATCH_SIZE));
    }
    return new BatchOrder(samples, groups, batchSize * parts, parts, seed);
  }

  /** Number of batches in an epoch. */
  public long batches() {
    return groups.count() / jointSize * parts + Math.min(groups.count() % jointSize, parts);
  }

  /** Rows of the largest batch; only the last ones of an epoch have fewer. */
  int rows() {
    long count = groups.count();
    long largest = count < jointSize ? (count + parts - 1) / parts : jointSize / parts;
    return Math.toIntExact(largest * groups.rowsOfEach());
  }

  /** Positions that no row exceeds. */
  int longest() {
    return groups.longest();
  }

  /** The samples that are put in order. */
  public Samples samples() {
    return samples;
  }

  /**
   * The samples of a batch, row by row, the shortest row first; those that belong together stay
   * together.
   *
   * @param epoch counted from 0
   * @param batch in {@code [0, batches())}
   */
  public long[] rows(long epoch, long batch) {
    return Arrays.stream(layout(epoch, batch)).flatMapToLong(Arrays::stream).toArray();
  }

  /** The same, the samples of each row apart. */
  long[][] layout(long epoch, long batch) {
    if (batch < 0 || batch >= batches()) {
      throw new IllegalArgumentException("An epoch has " + batches() + " batches, none " + batch);
    }
    long joint = batch / parts;
    Pool pool = pool(epoch, joint / POOL_BATCHES);
    int first = (int) pool.place(joint % POOL_BATCHES) * jointSize;
    int end = Math.min(first + jointSize, pool.groups.length);
    int part = (int) (batch % parts);
    return IntStream.iterate(first + part, group -> group < end, group -> group + parts)
        .mapToObj(group -> pool.groups[group])
        .flatMap(Arrays::stream)
        .toArray(long[][]::new);
  }

  private Pool pool(long epoch, long number) {
    Pool pool = latest;
    if (pool.epoch != epoch || pool.number != number) {
      pool = sortedPool(epoch, number);
      latest = pool;
    }
    return pool;
  }

  private Pool sortedPool(long epoch, long number) {
    long epochSeed = Permutation.mix(seed, epoch);
    Permutation shuffled = Permutation.of(groups.count(), epochSeed);
    long first = number * POOL_BATCHES * jointSize;
    int count = (int) Math.min((long) POOL_BATCHES * jointSize, groups.count() - first);
    long[][][] members = new long[count][][];
    long[] byLength = new long[count];
    for (int i = 0; i < count; i++) {
      members[i] = groups.rows(shuffled.at(first + i));
      byLength[i] = (long) length(members[i]) << Integer.SIZE | i;
    }
    Arrays.sort(byLength);
    long[][][] sorted = new long[count][][];
    for (int i = 0; i < count; i++) {
      sorted[i] = members[(int) byLength[i]];
    }
    int whole = count / jointSize;
    Permutation order = Permutation.of(Math.max(1, whole), Permutation.mix(epochSeed, number));
    return new Pool(epoch, number, sorted, whole, order);
  }

  /** Positions of the longest of some rows. */
  private int length(long[][] rows) {
    int longest = 0;
    for (long[] row : rows) {
      longest = Math.max(longest, Batch.positions(samples, row));
    }
    return longest;
  }

  /**
   * @param groups their rows
   * @param whole joint batches that are not short
   * @param order of the whole ones; a short one stays at the end
   */
  private record Pool(long epoch, long number, long[][][] groups, int whole, Permutation order) {
    long place(long joint) {
      return joint < whole ? order.at(joint) : joint;
    }
  }
}

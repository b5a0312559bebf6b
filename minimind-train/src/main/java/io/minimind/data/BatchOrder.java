package io.minimind.data;

import java.util.Arrays;

/**
 * Which samples form which batch of an epoch. Every sample comes once per epoch, in an order that
 * depends on seed and epoch alone; any batch can be asked for directly, which is how a stopped run
 * goes on where it was, and how several devices take turns.
 *
 * <p>The shuffled samples are taken in pools of 64 batches. Within a pool they are sorted by length
 * and cut into batches, so that a batch holds rows of similar length, and the batches are shuffled
 * again. Only one pool is ever in memory. The last pool holds the one batch that may be short.
 */
public final class BatchOrder {
  public static final int MAX_BATCH_SIZE = 1 << 20;

  private static final int POOL_BATCHES = 64;

  private final Samples samples;
  private final int batchSize;
  private final int groupSize;
  private final long groups;
  private final long seed;
  private volatile Pool latest = new Pool(-1, -1, new long[0], Permutation.of(1, 0));

  private BatchOrder(Samples samples, int batchSize, long seed) {
    this.samples = samples;
    this.batchSize = batchSize;
    this.groupSize = samples.groupSize();
    this.groups = samples.groups();
    this.seed = seed;
  }

  /**
   * The order of batches for a seed.
   *
   * @param batchSize samples per batch, 1 to 1,048,576; groups where samples belong together
   */
  public static BatchOrder of(Samples samples, int batchSize, long seed) {
    if (batchSize < 1 || batchSize > MAX_BATCH_SIZE) {
      throw new IllegalArgumentException(
          "The batch size is " + batchSize + ": it must lie between 1 and " + MAX_BATCH_SIZE + ".");
    }
    return new BatchOrder(samples, batchSize, seed);
  }

  /** Number of batches in an epoch. */
  public long batches() {
    return (groups + batchSize - 1) / batchSize;
  }

  /** Samples of the largest batch; only the short one of an epoch has fewer. */
  int rows() {
    return Math.toIntExact(Math.min(batchSize, groups) * groupSize);
  }

  /** The samples that are put in order. */
  public Samples samples() {
    return samples;
  }

  /**
   * The samples of a batch, shortest first; those that belong together stay together.
   *
   * @param epoch counted from 0
   * @param batch in {@code [0, batches())}
   */
  public long[] rows(long epoch, long batch) {
    if (batch < 0 || batch >= batches()) {
      throw new IllegalArgumentException("An epoch has " + batches() + " batches, none " + batch);
    }
    Pool pool = pool(epoch, batch / POOL_BATCHES);
    int first = (int) pool.order.at(batch % POOL_BATCHES) * batchSize;
    long[] members =
        Arrays.copyOfRange(pool.groups, first, Math.min(first + batchSize, pool.groups.length));
    long[] rows = new long[members.length * groupSize];
    Arrays.setAll(rows, i -> members[i / groupSize] * groupSize + i % groupSize);
    return rows;
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
    Permutation shuffled = Permutation.of(groups, epochSeed);
    long first = number * POOL_BATCHES * batchSize;
    int count = (int) Math.min((long) POOL_BATCHES * batchSize, groups - first);
    long[] members = new long[count];
    long[] byLength = new long[count];
    for (int i = 0; i < count; i++) {
      members[i] = shuffled.at(first + i);
      byLength[i] = (long) length(members[i]) << Integer.SIZE | i;
    }
    Arrays.sort(byLength);
    long[] sorted = new long[count];
    for (int i = 0; i < count; i++) {
      sorted[i] = members[(int) byLength[i]];
    }
    int batches = (count + batchSize - 1) / batchSize;
    return new Pool(
        epoch, number, sorted, Permutation.of(batches, Permutation.mix(epochSeed, number)));
  }

  /** Ids of the longest sample of a group. */
  private int length(long group) {
    int longest = 0;
    for (int i = 0; i < groupSize; i++) {
      longest = Math.max(longest, samples.length(group * groupSize + i));
    }
    return longest;
  }

  private record Pool(long epoch, long number, long[] groups, Permutation order) {}
}

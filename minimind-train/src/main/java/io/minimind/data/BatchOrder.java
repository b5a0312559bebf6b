package io.minimind.data;

import io.minimind.annotation.Internal;
import io.minimind.files.ArgumentException;
import java.util.Arrays;

/**
 * Which samples form which batch of an epoch. Every sample comes once per epoch, in an order that
 * depends on seed and epoch alone; any batch can be asked for directly, which is how a stopped run
 * goes on where it was, and how several devices take turns.
 *
 * <p>The shuffled samples are taken in pools of 64 batches. Within a pool they are sorted by length
 * and cut into batches, so that a batch holds rows of similar length, and the batches are shuffled
 * again. Only one pool is ever in memory. The last batch of an epoch may be short.
 *
 * <p>For devices that compute on one batch each and wait for one another, so many batches are cut
 * from one joint batch, whose rows they take in turn: they are about equally long. If the epoch's
 * last joint batch is short, all of them are, or there are fewer.
 */
@Internal
public final class BatchOrder {
  public static final int MAX_BATCH_SIZE = 1 << 20;

  private static final int POOL_BATCHES = 64;

  private final Samples samples;
  private final int jointSize;
  private final int parts;
  private final int groupSize;
  private final long groups;
  private final long seed;
  private volatile Pool latest = new Pool(-1, -1, new long[0], 0, Permutation.of(1, 0));

  private BatchOrder(Samples samples, int jointSize, int parts, long seed) {
    this.samples = samples;
    this.jointSize = jointSize;
    this.parts = parts;
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
    return of(samples, batchSize, 1, seed);
  }

  /**
   * The order of batches for several devices.
   *
   * @param batchSize samples per batch, 1 to 1,048,576; groups where samples belong together
   * @param parts batches that are cut from one joint batch, at least 1
   */
  public static BatchOrder of(Samples samples, int batchSize, int parts, long seed) {
    if (batchSize < 1 || (long) batchSize * parts > MAX_BATCH_SIZE) {
      throw new ArgumentException(
          "The batch size of all devices together is %d: it must lie between 1 and %d."
              .formatted((long) batchSize * parts, MAX_BATCH_SIZE));
    }
    return new BatchOrder(samples, batchSize * parts, parts, seed);
  }

  /** Number of batches in an epoch. */
  public long batches() {
    return groups / jointSize * parts + Math.min(groups % jointSize, parts);
  }

  /** Samples of the largest batch; only the last ones of an epoch have fewer. */
  int rows() {
    long largest = groups < jointSize ? (groups + parts - 1) / parts : jointSize / parts;
    return Math.toIntExact(largest * groupSize);
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
    long joint = batch / parts;
    Pool pool = pool(epoch, joint / POOL_BATCHES);
    int first = (int) pool.place(joint % POOL_BATCHES) * jointSize;
    int end = Math.min(first + jointSize, pool.groups.length);
    int part = (int) (batch % parts);
    long[] rows = new long[(end - first - part + parts - 1) / parts * groupSize];
    Arrays.setAll(
        rows, i -> pool.groups[first + part + i / groupSize * parts] * groupSize + i % groupSize);
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
    long first = number * POOL_BATCHES * jointSize;
    int count = (int) Math.min((long) POOL_BATCHES * jointSize, groups - first);
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
    int whole = count / jointSize;
    Permutation order = Permutation.of(Math.max(1, whole), Permutation.mix(epochSeed, number));
    return new Pool(epoch, number, sorted, whole, order);
  }

  /** Ids of the longest sample of a group. */
  private int length(long group) {
    int longest = 0;
    for (int i = 0; i < groupSize; i++) {
      longest = Math.max(longest, samples.length(group * groupSize + i));
    }
    return longest;
  }

  /**
   * @param whole joint batches that are not short
   * @param order of the whole ones; a short one stays at the end
   */
  private record Pool(long epoch, long number, long[] groups, int whole, Permutation order) {
    long place(long joint) {
      return joint < whole ? order.at(joint) : joint;
    }
  }
}

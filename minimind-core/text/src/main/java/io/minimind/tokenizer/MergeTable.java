package io.minimind.tokenizer;

import java.util.Arrays;

/**
 * Which pairs of tokens merge, in which order of preference, and into what: an open-addressing hash
 * table over primitive longs.
 */
final class MergeTable {

  /** What {@link #find} gives for a pair that does not merge: later than every merge. */
  static final long NONE = Long.MAX_VALUE;

  private static final long EMPTY = -1;

  /** Pair and merge side by side, so that a look-up touches one cache line. */
  private final long[] slots;

  private final int shift;

  /** Room for {@code capacity} merges. */
  MergeTable(int capacity) {
    // At most a quarter full: most look-ups are for pairs that do not merge and must end at once.
    int bits = 2 + Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(capacity, 1));
    slots = new long[2 << bits];
    Arrays.fill(slots, EMPTY);
    shift = Long.SIZE - bits;
  }

  /** Records that a pair merges; a pair that is recorded again takes the later rank. */
  void put(int left, int right, int rank, int merged) {
    long pair = pair(left, right);
    int slot = slot(pair);
    slots[slot] = pair;
    slots[slot + 1] = pair(rank, merged);
  }

  /**
   * The merge of a pair, {@link #NONE} if there is none. Lower values are merged first; {@link
   * #merged} and {@link #rank} take a value apart.
   */
  long find(int left, int right) {
    int slot = slot(pair(left, right));
    return slots[slot] == EMPTY ? NONE : slots[slot + 1];
  }

  static int rank(long merge) {
    return (int) (merge >>> 32);
  }

  static int merged(long merge) {
    return (int) merge;
  }

  private static long pair(int high, int low) {
    return (long) high << 32 | low;
  }

  /** Where a pair is, or the empty slot where it would be. */
  private int slot(long pair) {
    int slot = (int) (pair * 0x9E3779B97F4A7C15L >>> shift) << 1;
    while (slots[slot] != pair && slots[slot] != EMPTY) {
      slot = slot + 2 & slots.length - 1;
    }
    return slot;
  }
}

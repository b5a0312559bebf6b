package io.minimind.data;

import io.minimind.files.ArgumentException;

/**
 * A pseudo-random order of {@code [0, size)} that is computed index by index and holds nothing: a
 * Feistel network over the next power of four, walked until it lands inside the range. The same
 * size and seed give the same order on every machine.
 */
final class Permutation {
  private static final int ROUNDS = 6;
  // Halves of fewer bits mix badly; small ranges walk a little longer instead.
  private static final int MIN_HALF_BITS = 4;

  private final long size;
  private final int halfBits;
  private final long halfMask;
  private final long[] keys = new long[ROUNDS];

  private Permutation(long size, long seed) {
    this.size = size;
    int bits = Long.SIZE - Long.numberOfLeadingZeros(size - 1);
    halfBits = Math.max(MIN_HALF_BITS, (bits + 1) / 2);
    halfMask = (1L << halfBits) - 1;
    for (int round = 0; round < ROUNDS; round++) {
      keys[round] = mix(seed, round);
    }
  }

  /**
   * The order that belongs to a seed.
   *
   * @param size in {@code [1, 2^62]}
   */
  static Permutation of(long size, long seed) {
    if (size < 1 || size > 1L << 62) {
      throw new ArgumentException("A permutation needs 1 to 2^62 elements, not " + size);
    }
    return new Permutation(size, seed);
  }

  /** What stands at a position in {@code [0, size)}; every value of the range stands at one. */
  long at(long position) {
    long value = position;
    do {
      long left = value >>> halfBits;
      long right = value & halfMask;
      for (long key : keys) {
        long mixed = left ^ (mix(key, right) & halfMask);
        left = right;
        right = mixed;
      }
      value = left << halfBits | right;
    } while (value >= size);
    return value;
  }

  /** Derives a seed from a seed and a number (SplitMix64), so that streams do not resemble. */
  static long mix(long seed, long number) {
    long z = seed + (number + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}

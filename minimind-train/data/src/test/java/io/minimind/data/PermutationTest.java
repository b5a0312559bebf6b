package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class PermutationTest {

  @Property(tries = 300)
  void everyValueStandsAtOnePosition(
      @ForAll @IntRange(min = 1, max = 20_000) int size, @ForAll long seed) {
    Permutation permutation = Permutation.of(size, seed);
    BitSet seen = new BitSet(size);
    for (int i = 0; i < size; i++) {
      seen.set((int) permutation.at(i));
    }
    assertEquals(size, seen.length());
    assertEquals(size, seen.cardinality());
  }

  @Property(tries = 300)
  void hugeRangesStayInside(
      @ForAll @LongRange(min = 1L << 31, max = 1L << 62) long size, @ForAll long seed) {
    Permutation permutation = Permutation.of(size, seed);
    LongStream.of(0, 1, size / 2, size - 1)
        .map(permutation::at)
        .forEach(value -> assertTrue(value >= 0 && value < size));
  }

  @Test
  void everyOrderOfThreeIsAboutAsLikely() {
    int seeds = 6000;
    int[] counts = new int[9];
    for (int seed = 0; seed < seeds; seed++) {
      Permutation permutation = Permutation.of(3, seed);
      counts[(int) (permutation.at(0) * 3 + permutation.at(1))]++;
    }
    // Six orders of 1000 each; five standard deviations are 144.
    for (int order : new int[] {1, 2, 3, 5, 6, 7}) {
      assertEquals(1000, counts[order], 144, "order " + order);
    }
  }

  @Test
  void positionsAreScattered() {
    int size = 100_000;
    Permutation permutation = Permutation.of(size, 1);
    long ascents =
        LongStream.range(1, size).filter(i -> permutation.at(i) > permutation.at(i - 1)).count();
    // Half of the neighbours ascend, with a standard deviation of sqrt(n/12) = 91.
    assertEquals(size / 2.0, ascents, 5 * 91);
  }

  @Test
  void seedsGiveDifferentOrders() {
    long fixed =
        LongStream.range(0, 1000)
            .filter(i -> Permutation.of(1000, 1).at(i) == Permutation.of(1000, 2).at(i))
            .count();
    assertTrue(fixed < 20, fixed + " of 1000 positions agree");
  }

  @Test
  void anEmptyRangeHasNoOrder() {
    assertThrows(IllegalArgumentException.class, () -> Permutation.of(0, 1));
  }
}

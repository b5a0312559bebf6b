package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SplitTest {

  @Property(tries = 200)
  void theViewsShareNothingAndLoseNothing(
      @ForAll @IntRange(min = 2, max = 1000) int size,
      @ForAll @IntRange(min = 1, max = 999) int thousandths,
      @ForAll long seed) {
    double fraction = thousandths / 1000.0;
    FakeSamples all = new FakeSamples(IntStream.range(2, size + 2).toArray());
    Split split = Split.of(all, fraction, seed);
    long[] lengths =
        LongStream.concat(lengths(split.training()), lengths(split.validation())).toArray();
    assertArrayEquals(
        LongStream.range(2, size + 2).toArray(), Arrays.stream(lengths).sorted().toArray());
    assertEquals(fraction * size, split.validation().size(), 1);
    assertArrayEquals(
        lengths(split.validation()).toArray(),
        lengths(Split.of(all, fraction, seed).validation()).toArray());
  }

  @Test
  void readsTheSampleWhoseLengthItTells() throws IOException {
    FakeSamples all = new FakeSamples(2, 3, 4, 5, 6, 7);
    Samples part = Split.of(all, 0.5, 1).validation();
    int[] ids = new int[7];
    boolean[] targets = new boolean[7];
    for (long i = 0; i < part.size(); i++) {
      int length = part.read(i, ids, targets);
      assertEquals(part.length(i), length);
      assertEquals(FakeSamples.id(length - 2, 1), ids[1]);
      assertEquals(FakeSamples.target(length - 2, 1), targets[1]);
    }
    assertThrows(IndexOutOfBoundsException.class, () -> part.length(part.size()));
  }

  @Test
  void seedsHoldOutDifferentSamples() {
    FakeSamples all = new FakeSamples(IntStream.range(2, 200).toArray());
    assertFalse(
        Arrays.equals(
            lengths(Split.of(all, 0.1, 1).validation()).sorted().toArray(),
            lengths(Split.of(all, 0.1, 2).validation()).sorted().toArray()));
  }

  @Test
  void impossibleFractionsAreRefused() {
    FakeSamples all = new FakeSamples(2, 3);
    for (double fraction : new double[] {0, 1, -0.1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> Split.of(all, fraction, 1));
    }
    assertThrows(IllegalArgumentException.class, () -> Split.of(new FakeSamples(2), 0.5, 1));
  }

  private static LongStream lengths(Samples samples) {
    return LongStream.range(0, samples.size()).map(samples::length);
  }
}

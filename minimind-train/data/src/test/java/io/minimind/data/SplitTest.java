package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
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
    List<Samples> split = all.split(fraction, seed);
    long[] lengths = LongStream.concat(lengths(split.get(0)), lengths(split.get(1))).toArray();
    assertArrayEquals(
        LongStream.range(2, size + 2).toArray(), Arrays.stream(lengths).sorted().toArray());
    assertEquals(fraction * size, split.get(1).size(), 1);
    assertArrayEquals(
        lengths(split.get(1)).toArray(), lengths(all.split(fraction, seed).get(1)).toArray());
  }

  @Test
  void readsTheSampleWhoseLengthItTells() throws IOException {
    FakeSamples all = new FakeSamples(2, 3, 4, 5, 6, 7);
    Samples part = all.split(0.5, 1).get(1);
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
            lengths(all.split(0.1, 1).get(1)).sorted().toArray(),
            lengths(all.split(0.1, 2).get(1)).sorted().toArray()));
  }

  @Test
  void impossibleFractionsAreRefused() {
    FakeSamples all = new FakeSamples(2, 3);
    for (double fraction : new double[] {0, 1, -0.1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> all.split(fraction, 1));
    }
    assertThrows(IllegalArgumentException.class, () -> new FakeSamples(2).split(0.5, 1));
  }

  private static LongStream lengths(Samples samples) {
    return LongStream.range(0, samples.size()).map(samples::length);
  }
}

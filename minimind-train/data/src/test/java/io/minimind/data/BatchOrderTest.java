package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BatchOrderTest {

  @Property(tries = 200)
  void everySampleComesOncePerEpoch(
      @ForAll @IntRange(min = 1, max = 3000) int size,
      @ForAll @IntRange(min = 1, max = 70) int batchSize,
      @ForAll long seed,
      @ForAll @IntRange(max = 30) int epoch) {
    BatchOrder order = BatchOrder.of(samples(size, seed), batchSize, seed);
    List<long[]> batches = epoch(order, epoch);
    assertArrayEquals(
        LongStream.range(0, size).toArray(),
        batches.stream().flatMapToLong(Arrays::stream).sorted().toArray());
    long shortBatches = batches.stream().filter(rows -> rows.length < batchSize).count();
    assertEquals(size % batchSize == 0 ? 0 : 1, shortBatches);
    assertEquals((size + batchSize - 1) / batchSize, batches.size());
  }

  @Property(tries = 100)
  void anyBatchCanBeAskedForDirectly(
      @ForAll @IntRange(min = 1, max = 3000) int size,
      @ForAll @IntRange(min = 1, max = 9) int batchSize,
      @ForAll long seed,
      @ForAll @IntRange(max = 3) int epoch,
      @ForAll int random) {
    Samples samples = samples(size, seed);
    List<long[]> all = epoch(BatchOrder.of(samples, batchSize, seed), epoch);
    int batch = Math.floorMod(random, all.size());
    long[] direct = BatchOrder.of(samples, batchSize, seed).rows(epoch, batch);
    assertArrayEquals(all.get(batch), direct);
  }

  @Test
  void rowsOfABatchAreOfSimilarLength() {
    FakeSamples samples = samples(64 * 16 * 3 + 5, 1);
    List<long[]> batches = epoch(BatchOrder.of(samples, 16, 1), 0);
    for (int pool = 0; pool < batches.size(); pool += 64) {
      int[] lengths =
          batches.subList(pool, Math.min(pool + 64, batches.size())).stream()
              .sorted(
                  Comparator.comparing((long[] rows) -> samples.length(rows[0]))
                      .thenComparing(rows -> samples.length(rows[rows.length - 1])))
              .flatMapToInt(rows -> Arrays.stream(rows).mapToInt(samples::length))
              .toArray();
      assertArrayEquals(IntStream.of(lengths).sorted().toArray(), lengths);
    }
  }

  @Test
  void batchesDoNotComeInOrderOfLength() {
    FakeSamples samples = samples(64 * 4, 1);
    int[] firsts =
        epoch(BatchOrder.of(samples, 4, 1), 0).stream()
            .mapToInt(rows -> samples.length(rows[0]))
            .toArray();
    assertFalse(Arrays.equals(IntStream.of(firsts).sorted().toArray(), firsts));
  }

  @Test
  void epochsAndSeedsDiffer() {
    Samples samples = samples(1000, 1);
    long[] first = BatchOrder.of(samples, 8, 1).rows(0, 0);
    assertFalse(Arrays.equals(first, BatchOrder.of(samples, 8, 1).rows(1, 0)));
    assertFalse(Arrays.equals(first, BatchOrder.of(samples, 8, 2).rows(0, 0)));
  }

  @Property(tries = 200)
  void everySampleComesOncePerEpochInRowsThatHaveRoomForIt(
      @ForAll @IntRange(min = 1, max = 3000) int size,
      @ForAll @IntRange(min = 59, max = 400) int rowLength,
      @ForAll @IntRange(min = 1, max = 9) int batchSize,
      @ForAll @IntRange(min = 1, max = 3) int parts,
      @ForAll long seed,
      @ForAll @IntRange(max = 30) int epoch) {
    FakeSamples samples = samples(size, seed);
    BatchOrder order = BatchOrder.packed(samples, rowLength, batchSize, parts, seed);
    List<long[]> rows = new ArrayList<>();
    for (long batch = 0; batch < order.batches(); batch++) {
      long[][] layout = order.layout(epoch, batch);
      assertTrue(layout.length <= batchSize);
      rows.addAll(List.of(layout));
      assertArrayEquals(
          Arrays.stream(layout).flatMapToLong(Arrays::stream).toArray(), order.rows(epoch, batch));
    }
    assertArrayEquals(
        LongStream.range(0, size).toArray(),
        rows.stream().flatMapToLong(Arrays::stream).sorted().toArray());
    long positions = 0;
    for (long[] row : rows) {
      int taken = LongStream.of(row).mapToInt(sample -> samples.length(sample) - 1).sum();
      assertTrue(taken <= rowLength, taken + " positions in a row of " + rowLength);
      positions += taken;
    }
    // Of each pool of 512 samples one row at most is less than half full.
    assertTrue(
        rows.size() <= 2.0 * positions / rowLength + (size + 511) / 512, rows.size() + " rows");
  }

  @Test
  void rowsAreAlmostFull() {
    FakeSamples samples = samples(20_000, 3);
    BatchOrder order = BatchOrder.packed(samples, 255, 1, 1, 3);
    long positions = LongStream.range(0, 20_000).map(sample -> samples.length(sample) - 1).sum();
    assertTrue(positions > 0.98 * 255 * order.batches(), positions + " in " + order.batches());
  }

  /** Which samples share a row is the same in all epochs and for any number of devices. */
  @Test
  void rowsFollowFromTheSeed() {
    Samples samples = samples(1000, 1);
    Set<List<Long>> rows = packed(BatchOrder.packed(samples, 200, 4, 1, 1), 0);
    assertEquals(rows, packed(BatchOrder.packed(samples, 200, 4, 1, 1), 1));
    assertEquals(rows, packed(BatchOrder.packed(samples, 200, 3, 5, 1), 0));
    assertNotEquals(rows, packed(BatchOrder.packed(samples, 200, 4, 1, 2), 0));
    assertFalse(
        Arrays.equals(
            BatchOrder.packed(samples, 200, 4, 1, 1).rows(0, 0),
            BatchOrder.packed(samples, 200, 4, 1, 1).rows(1, 0)));
  }

  private static Set<List<Long>> packed(BatchOrder order, long epoch) {
    Set<List<Long>> rows = new HashSet<>();
    for (long batch = 0; batch < order.batches(); batch++) {
      for (long[] row : order.layout(epoch, batch)) {
        rows.add(LongStream.of(row).boxed().toList());
      }
    }
    return rows;
  }

  @Test
  void samplesThatCannotShareRowsAreRefused() {
    Samples samples = samples(10, 1);
    assertRefused("no room for the longest", samples, samples.longest() - 2);
    assertRefused("2 of them belong together", new FakeSamples(2, new int[] {5, 6}), 100);
    Samples judged =
        AddedColumns.of(
            samples, BatchInput.floats("verdict", Extent.ROW), FloatBuffer.allocate(10));
    assertRefused("its own verdict", judged, 100);
  }

  private static void assertRefused(String part, Samples samples, int rowLength) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> BatchOrder.packed(samples, rowLength, 1, 1, 1));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void impossibleSizesAreRefused() {
    Samples samples = samples(10, 1);
    assertThrows(IllegalArgumentException.class, () -> BatchOrder.of(samples, 0, 1));
    BatchOrder order = BatchOrder.of(samples, 4, 1);
    assertThrows(IllegalArgumentException.class, () -> order.rows(0, 3));
    assertThrows(IllegalArgumentException.class, () -> order.rows(0, -1));
  }

  private static FakeSamples samples(int size, long seed) {
    return new FakeSamples(new Random(seed).ints(size, 2, 60).toArray());
  }

  private static List<long[]> epoch(BatchOrder order, long epoch) {
    List<long[]> batches = new ArrayList<>();
    for (long batch = 0; batch < order.batches(); batch++) {
      batches.add(order.rows(epoch, batch));
    }
    return batches;
  }
}

package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
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

package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.BatchInput;
import java.io.IOException;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BatchLoaderTest {
  private static final int[] LENGTHS = new Random(5).ints(400, 2, 30).toArray();

  @Property(tries = 60)
  void servesTheBatchesOfTheOrder(
      @ForAll @IntRange(min = 1, max = 20) int batchSize,
      @ForAll @IntRange(max = 2) int epoch,
      @ForAll @IntRange(max = 20) int firstBatch,
      @ForAll boolean padded)
      throws IOException {
    FakeSamples samples = new FakeSamples(LENGTHS);
    BatchOrder order = BatchOrder.of(samples, batchSize, 3);
    try (BatchLoader loader =
        padded
            ? BatchLoader.startPadded(order, epoch, firstBatch, 33)
            : BatchLoader.start(order, epoch, firstBatch)) {
      for (long number = firstBatch; number < order.batches(); number++) {
        try (Batch batch = loader.next().orElseThrow()) {
          assertHolds(batch, samples, order.rows(epoch, number), padded ? 33 : 0);
        }
      }
      assertTrue(loader.next().isEmpty());
      assertTrue(loader.next().isEmpty());
    }
  }

  private static void assertHolds(Batch batch, FakeSamples samples, long[] rows, int padTo) {
    int longest = Arrays.stream(rows).mapToInt(samples::length).max().orElseThrow();
    int length = Math.max(longest - 1, padTo);
    assertEquals(rows.length, batch.rows());
    assertEquals(length, batch.length());
    assertEquals(rows.length * length, batch.inputIds().remaining());
    assertEquals(rows.length * length, batch.labels().remaining());
    assertEquals(rows.length * length, batch.lossMask().remaining());
    long targets = 0;
    for (int row = 0; row < rows.length; row++) {
      int real = samples.length(rows[row]) - 1;
      for (int i = 0; i < length; i++) {
        int at = row * length + i;
        boolean target = i < real && FakeSamples.target(rows[row], i + 1);
        assertEquals(i <= real ? FakeSamples.id(rows[row], i) : 0, batch.inputIds().get(at));
        assertEquals(i < real ? FakeSamples.id(rows[row], i + 1) : 0, batch.labels().get(at));
        assertEquals(target ? 1f : 0f, batch.lossMask().get(at));
        targets += target ? 1 : 0;
      }
    }
    assertEquals(targets, batch.targets());
  }

  /** Every position has the next id of its own sample as its label, and padding sees nothing. */
  @Property(tries = 60)
  void rowsMayHoldSeveralSamples(
      @ForAll @IntRange(min = 1, max = 7) int batchSize,
      @ForAll @IntRange(min = 29, max = 90) int rowLength)
      throws IOException {
    FakeSamples samples = new FakeSamples(LENGTHS);
    BatchOrder order = BatchOrder.packed(samples, rowLength, batchSize, 1, 3);
    try (BatchLoader loader = BatchLoader.start(order, 1, 0)) {
      for (long number = 0; number < order.batches(); number++) {
        try (Batch batch = loader.next().orElseThrow()) {
          assertHolds(batch, samples, order.layout(1, number));
        }
      }
      assertTrue(loader.next().isEmpty());
    }
  }

  private static void assertHolds(Batch batch, FakeSamples samples, long[][] layout) {
    LongBuffer positions =
        batch.part(BatchInput.POSITION_IN_SAMPLE.name()).orElseThrow().memory().asLongBuffer();
    int length = Arrays.stream(layout).mapToInt(row -> positions(samples, row)).max().orElseThrow();
    assertEquals(layout.length, batch.rows());
    assertEquals(length, batch.length());
    int filled = 0;
    int targets = 0;
    for (int row = 0; row < layout.length; row++) {
      int at = row * length;
      for (long sample : layout[row]) {
        for (int i = 0; i + 1 < samples.length(sample); i++, at++) {
          assertEquals(FakeSamples.id(sample, i), batch.inputIds().get(at));
          assertEquals(FakeSamples.id(sample, i + 1), batch.labels().get(at));
          assertEquals(FakeSamples.target(sample, i + 1) ? 1 : 0, batch.lossMask().get(at));
          assertEquals(i, positions.get(at));
          targets += FakeSamples.target(sample, i + 1) ? 1 : 0;
        }
      }
      filled += at - row * length;
      for (; at < (row + 1) * length; at++) {
        assertEquals(0, batch.lossMask().get(at));
        assertEquals(0, positions.get(at));
      }
    }
    assertEquals(filled, batch.filled());
    assertEquals(targets, batch.targets());
  }

  private static int positions(FakeSamples samples, long[] row) {
    return Arrays.stream(row).mapToInt(sample -> samples.length(sample) - 1).sum();
  }

  @Test
  void closedBatchesAreFilledAgain() throws IOException {
    Set<LongBuffer> buffers = Collections.newSetFromMap(new IdentityHashMap<>());
    try (BatchLoader loader = BatchLoader.start(order(1), 0, 0)) {
      for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
        try (Batch batch = next.get()) {
          assertTrue(batch.inputIds().isDirect());
          buffers.add(batch.inputIds());
        }
      }
    }
    assertTrue(buffers.size() <= 6, buffers.size() + " buffers for 400 batches");
  }

  @Test
  void openBatchesAreLeftAlone() throws IOException {
    BatchOrder order = order(7);
    List<Batch> batches = new ArrayList<>();
    try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
      for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
        batches.add(next.get());
      }
    }
    for (int i = 0; i < batches.size(); i++) {
      assertHolds(batches.get(i), new FakeSamples(LENGTHS), order.rows(0, i), 0);
    }
  }

  @Test
  void closesAtAnyTime() throws IOException {
    for (int taken = 0; taken < 12; taken++) {
      BatchLoader loader = BatchLoader.start(order(50), 0, 0);
      for (int i = 0; i < taken; i++) {
        loader.next();
      }
      loader.close();
      assertTrue(loader.next().isEmpty());
      loader.close();
    }
  }

  @Test
  void failuresReachTheConsumer() throws IOException {
    for (Throwable failure :
        List.of(new IOException("a"), new IllegalStateException("b"), new InternalError("c"))) {
      FakeSamples samples = new FakeSamples(LENGTHS);
      BatchOrder sound = BatchOrder.of(samples, 10, 3);
      long broken = sound.rows(0, 2)[0];
      BatchOrder order = BatchOrder.of(new Failing(samples, broken, failure), 10, 3);
      try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
        assertTrue(loader.next().isPresent());
        assertTrue(loader.next().isPresent());
        assertSame(failure, assertThrows(failure.getClass(), loader::next));
        assertSame(failure, assertThrows(failure.getClass(), loader::next));
      }
    }
  }

  private record Failing(Samples all, long broken, Throwable failure) implements Samples {
    @Override
    public long size() {
      return all.size();
    }

    @Override
    public int length(long index) {
      return all.length(index);
    }

    @Override
    public int longest() {
      return all.longest();
    }

    @Override
    public int read(long index, int[] ids, boolean[] targets) throws IOException {
      if (index == broken) {
        if (failure instanceof IOException e) {
          throw e;
        }
        if (failure instanceof Error e) {
          throw e;
        }
        throw (RuntimeException) failure;
      }
      return all.read(index, ids, targets);
    }
  }

  @Test
  void impossiblePlacesAndLengthsAreRefused() {
    BatchOrder order = order(10);
    assertThrows(IllegalArgumentException.class, () -> BatchLoader.start(order, 0, 41));
    assertThrows(IllegalArgumentException.class, () -> BatchLoader.startPadded(order, 0, 0, 27));
  }

  @Test
  void aBatchOfValuesHoldsThem() {
    Batch batch = Batch.of(1, 3, new long[] {1, 5, 6}, new long[] {5, 6, 2}, new float[] {0, 1, 1});
    assertEquals(LongBuffer.wrap(new long[] {1, 5, 6}), batch.inputIds());
    assertEquals(LongBuffer.wrap(new long[] {5, 6, 2}), batch.labels());
    assertEquals(1f, batch.lossMask().get(1));
    assertEquals(2, batch.targets());
    assertThrows(
        IllegalArgumentException.class,
        () -> Batch.of(2, 2, new long[3], new long[4], new float[4]));
  }

  private static BatchOrder order(int batchSize) {
    return BatchOrder.of(new FakeSamples(LENGTHS), batchSize, 3);
  }
}

package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Samples that belong together, on their way into batches. */
class PairsTest {

  private static final int PAIRS = 151;
  private static final BatchInput REFERENCE = BatchInput.floats("reference", Extent.ROW);
  private static final Samples SAMPLES = pairs(3);

  /** Pairs with a reference that follows from the number of each sample. */
  private static Samples pairs(long seed) {
    int[] lengths = new Random(seed).ints(2 * PAIRS, 2, 30).toArray();
    float[] reference = new float[lengths.length];
    for (int i = 0; i < reference.length; i++) {
      reference[i] = -i;
    }
    return AddedColumns.of(new FakeSamples(2, lengths), REFERENCE, FloatBuffer.wrap(reference));
  }

  @Test
  void anEpochHasEveryPairOnceAndNoneIsTornApart() {
    BatchOrder order = BatchOrder.of(SAMPLES, 4, 9);
    assertEquals((PAIRS + 3) / 4, order.batches());
    List<Long> all = new ArrayList<>();
    for (long batch = 0; batch < order.batches(); batch++) {
      long[] rows = order.rows(1, batch);
      assertEquals(0, rows.length % 2);
      assertTrue(rows.length <= 8);
      for (int i = 0; i < rows.length; i += 2) {
        assertEquals(0, rows[i] % 2, "a chosen row comes first");
        assertEquals(rows[i] + 1, rows[i + 1]);
      }
      LongStream.of(rows).forEach(all::add);
    }
    assertEquals(LongStream.range(0, 2 * PAIRS).boxed().toList(), all.stream().sorted().toList());
  }

  @Test
  void pairsOfABatchHaveSimilarLengths() {
    BatchOrder order = BatchOrder.of(SAMPLES, 4, 9);
    long padded = 0;
    long unsorted = 0;
    for (long batch = 0; batch < order.batches(); batch++) {
      long[] rows = order.rows(0, batch);
      padded += rows.length * LongStream.of(rows).map(SAMPLES::length).max().orElseThrow();
      unsorted += rows.length * 29L;
    }
    assertTrue(padded < 0.85 * unsorted, padded + " of " + unsorted);
  }

  @Test
  void aSplitKeepsPairsTogetherWithTheirReferences() throws IOException {
    List<Samples> split = SAMPLES.split(0.2, 5);
    assertEquals(30, split.get(1).groups());
    assertEquals(PAIRS - 30, split.get(0).groups());
    Set<Float> seen = new TreeSet<>();
    int[] ids = new int[30];
    float[] found = new float[1];
    for (Samples view : List.of(split.get(0), split.get(1))) {
      assertEquals(2, view.groupSize());
      for (long i = 0; i < view.size(); i++) {
        view.read(i, ids, new boolean[30]);
        view.readColumn(i, 0, found);
        float reference = found[0];
        assertEquals(FakeSamples.id((long) -reference, 0), ids[0]);
        assertEquals(i % 2, (long) -reference % 2);
        seen.add(reference);
      }
    }
    assertEquals(2 * PAIRS, seen.size());
  }

  @Test
  void aBatchOfPairsHasTheReferenceOfEachRow() throws IOException {
    BatchOrder order = BatchOrder.of(SAMPLES, 4, 9);
    try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
      for (long number = 0; number < order.batches(); number++) {
        try (Batch batch = loader.next().orElseThrow()) {
          Batch.Part part = batch.part(REFERENCE.name()).orElseThrow();
          FloatBuffer reference = part.memory().asFloatBuffer();
          long[] rows = order.rows(0, number);
          assertEquals(rows.length, batch.rows());
          assertArrayEquals(new long[] {rows.length}, batch.shape(part.input()));
          assertEquals(rows.length / 2, batch.count(Extent.GROUP));
          assertEquals(rows.length, batch.count(Extent.ROW));
          for (int row = 0; row < rows.length; row++) {
            assertEquals(-rows[row], reference.get(row));
            assertEquals(FakeSamples.id(rows[row], 0), batch.inputIds().get(row * batch.length()));
          }
        }
      }
    }
  }

  @Test
  void aColumnNeedsAValueForEachSample() {
    assertThrows(
        IllegalArgumentException.class,
        () -> AddedColumns.of(new FakeSamples(2, 2), REFERENCE, FloatBuffer.allocate(1)));
  }
}

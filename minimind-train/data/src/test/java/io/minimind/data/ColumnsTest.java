package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What objectives know of samples besides ids and targets, from an encoder into batches. */
class ColumnsTest {

  private static final int GROUP = 3;
  private static final int ROWS = 70;

  private static final BatchInput WEIGHTS =
      BatchInput.floats("weights", Extent.TOKEN).withWidth(2).withPadding(-7);
  private static final BatchInput TEACHER = BatchInput.longs("teacher", Extent.TOKEN);
  private static final BatchInput KIND = BatchInput.longs("kind", Extent.ROW);
  private static final BatchInput REWARDS = BatchInput.floats("rewards", Extent.GROUP).withWidth(2);
  private static final List<BatchInput> COLUMNS = List.of(WEIGHTS, TEACHER, KIND, REWARDS);

  @TempDir Path folder;

  /** Each row is a seed, from which everything follows. */
  private record Encoder(List<BatchInput> inputs) implements SampleEncoder {
    @Override
    public List<List<String>> columns() {
      return List.of(List.of("text"));
    }

    @Override
    public int vocabularySize() {
      return 1000;
    }

    @Override
    public int groupSize() {
      return GROUP;
    }

    @Override
    public String description() {
      return "seeds";
    }

    @Override
    public List<Sample> encode(Row row) {
      return group(Integer.parseInt(row.cells().get(0)));
    }
  }

  private static List<Sample> group(int seed) {
    Random random = new Random(seed);
    List<Sample> group = new ArrayList<>();
    for (int i = 0; i < GROUP; i++) {
      int[] ids = random.ints(2 + random.nextInt(9), 1, 1000).toArray();
      BitSet targets = new BitSet();
      targets.set(1, ids.length);
      group.add(
          new Sample(ids, targets)
              .with(WEIGHTS.name(), floats(random, 2 * ids.length))
              .with(TEACHER.name(), floats(random, ids.length))
              .with(KIND.name(), random.nextInt(1000))
              .with(REWARDS.name(), floats(random, 2)));
    }
    return group;
  }

  /** Whole numbers, which are the same as int64. */
  private static float[] floats(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(1 << 20);
    }
    return values;
  }

  private TokenShards shards(List<BatchInput> columns, long maxShardBytes) throws IOException {
    Path file = folder.resolve("rows.txt");
    if (!Files.exists(file)) {
      List<String> seeds = new ArrayList<>();
      for (int i = 0; i < ROWS; i++) {
        seeds.add(Integer.toString(i));
      }
      Files.write(file, seeds);
    }
    return TokenShards.openOrBuild(
        folder.resolve("cache"),
        Rows.of(file),
        new Encoder(columns),
        EncodingProgress.none(),
        maxShardBytes);
  }

  private List<Path> files(String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  @Test
  void shardsKeepThemThroughSplitOrderAndBatches() throws IOException {
    TokenShards shards = shards(COLUMNS, 4000);
    assertTrue(files(".values").size() > 3, "several shards");
    for (Path file : files(".values")) {
      assertTrue(Files.size(file) <= 4000, "a shard is full when its values are");
    }
    List<Samples> split = shards.split(0.3, 4);
    int seen = 0;
    for (Samples view : List.of(split.get(0), split.get(1))) {
      assertEquals(COLUMNS, view.columns());
      BatchOrder order = BatchOrder.of(view, 4, 9);
      try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
        for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
          try (Batch batch = next.get()) {
            seen += assertHolds(batch);
          }
        }
      }
    }
    assertEquals(ROWS * GROUP, seen);
  }

  @Test
  void samplesInMemoryHaveThemToo() throws IOException {
    List<Sample> samples = new ArrayList<>(group(5));
    samples.addAll(group(40));
    Samples all = Samples.of(samples, GROUP, COLUMNS);
    try (Batch batch = Batch.of(all, 0, 1, 2, 3, 4, 5)) {
      assertEquals(6, assertHolds(batch));
      assertEquals(2, batch.count(Extent.GROUP));
    }
  }

  @Test
  void samplesThatShareARowHaveThoseOfTokensOneAfterTheOther() throws IOException {
    List<Sample> group = group(7);
    List<BatchInput> columns = List.of(WEIGHTS, TEACHER);
    Samples all = Samples.of(group, 1, columns);
    try (Batch batch = Batch.of(all, new long[][] {{2, 0}, {1}})) {
      int first = group.get(2).ids().length - 1;
      assertHolds(batch, 0, group.get(2));
      assertHolds(batch, first, group.get(0));
      assertHolds(batch, batch.length(), group.get(1));
      int second = group.get(1).ids().length - 1;
      assertTrue(second < batch.length(), "the second row is padded");
      int at = batch.length() + second;
      assertEquals(-7, memory(batch, WEIGHTS).asFloatBuffer().get(2 * at + 1));
      assertEquals(0, memory(batch, TEACHER).asLongBuffer().get(at));
    }
  }

  /** The values of tokens from a position on. */
  private static void assertHolds(Batch batch, int start, Sample sample) {
    for (int i = 0; i + 1 < sample.ids().length; i++) {
      for (int k = 0; k < 2; k++) {
        assertEquals(
            sample.columns().get(WEIGHTS.name())[2 * (i + 1) + k],
            memory(batch, WEIGHTS).asFloatBuffer().get(2 * (start + i) + k));
      }
      assertEquals(
          (long) sample.columns().get(TEACHER.name())[i + 1],
          memory(batch, TEACHER).asLongBuffer().get(start + i));
    }
  }

  /**
   * @return rows
   */
  private static int assertHolds(Batch batch) {
    int length = batch.length();
    int groups = batch.rows() / GROUP;
    assertShape(batch, WEIGHTS, batch.rows(), length, 2);
    assertShape(batch, TEACHER, batch.rows(), length);
    assertShape(batch, KIND, batch.rows());
    assertShape(batch, REWARDS, groups, 2);
    for (int row = 0; row < batch.rows(); row++) {
      Sample sample = find(batch, row);
      for (int i = 0; i < length; i++) {
        int position = row * length + i;
        boolean label = i + 1 < sample.ids().length;
        float[] weights = sample.columns().get(WEIGHTS.name());
        for (int k = 0; k < 2; k++) {
          assertEquals(
              label ? weights[2 * (i + 1) + k] : -7,
              memory(batch, WEIGHTS).asFloatBuffer().get(2 * position + k));
        }
        assertEquals(
            label ? (long) sample.columns().get(TEACHER.name())[i + 1] : 0,
            memory(batch, TEACHER).asLongBuffer().get(position));
        assertEquals(label ? sample.ids()[i + 1] : 0, batch.labels().get(position));
      }
      assertEquals(
          (long) sample.columns().get(KIND.name())[0], memory(batch, KIND).asLongBuffer().get(row));
      if (row % GROUP == 0) {
        float[] rewards = new float[2];
        memory(batch, REWARDS).asFloatBuffer().get(2 * (row / GROUP), rewards);
        assertArrayEquals(sample.columns().get(REWARDS.name()), rewards);
      }
    }
    return batch.rows();
  }

  private static Sample find(Batch batch, int row) {
    for (int seed = 0; seed < ROWS; seed++) {
      Sample sample = group(seed).get(row % GROUP);
      long[] found = new long[Math.min(batch.length(), sample.ids().length)];
      batch.inputIds().get(row * batch.length(), found);
      long[] ids = Arrays.stream(sample.ids()).limit(found.length).asLongStream().toArray();
      if (Arrays.equals(ids, found)) {
        return sample;
      }
    }
    throw new AssertionError("row " + row + " is of no sample");
  }

  private static ByteBuffer memory(Batch batch, BatchInput input) {
    return batch.part(input.name()).orElseThrow().memory();
  }

  private static void assertShape(Batch batch, BatchInput input, long... shape) {
    assertArrayEquals(shape, batch.shape(input), input.name());
  }

  @Test
  void damagedValuesAreReported() throws IOException {
    TokenShards shards = shards(COLUMNS, 1 << 20);
    Path file = files(".values").get(0);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    TokenShards opened = shards(COLUMNS, 1 << 20);
    assertEquals(shards.checksum(), opened.checksum(), "found when it is read");
    int[] ids = new int[opened.longest()];
    int damaged = 0;
    for (long i = 0; i < opened.size(); i++) {
      try {
        opened.read(i, ids, new boolean[ids.length]);
      } catch (IOException e) {
        assertTrue(e.getMessage().contains("is damaged"), e.getMessage());
        damaged++;
      }
    }
    assertEquals(1, damaged);
    Files.write(file, new byte[bytes.length - 4]);
    assertEquals(shards.checksum(), shards(COLUMNS, 1 << 20).checksum(), "encoded anew");
    assertEquals(bytes.length, Files.size(file));
  }

  @Test
  void otherColumnsAreOtherShards() throws IOException {
    String checksum = shards(COLUMNS, 1 << 20).checksum();
    assertNotEquals(checksum, shards(List.of(WEIGHTS), 1 << 20).checksum());
    assertEquals(2, files("manifest.json").size());
    assertEquals(0, shards(List.of(), 1 << 20).columns().size());
    assertEquals(3, files("manifest.json").size());
    assertEquals(2, files(".values").size(), "without columns there are no values");
  }

  @Test
  void aSampleWithoutItsValuesIsRefused() {
    Sample sample = Sample.of(new int[] {1, 2, 3});
    IllegalArgumentException none =
        assertThrows(
            IllegalArgumentException.class, () -> Samples.of(List.of(sample), 1, List.of(WEIGHTS)));
    assertEquals(
        "A sample of 3 ids must have 6 values of weights, 2 for each token, but has none.",
        none.getMessage());
    Sample few = sample.with(WEIGHTS.name(), 1, 2, 3);
    assertThrows(
        IllegalArgumentException.class, () -> Samples.of(List.of(few), 1, List.of(WEIGHTS)));
    assertThrows(IllegalArgumentException.class, () -> Samples.of(List.of(sample), 2, List.of()));
    IllegalStateException defect =
        assertThrows(
            IllegalStateException.class,
            () -> shards(List.of(BatchInput.floats("missing", Extent.ROW)), 1 << 20));
    assertTrue(defect.getCause().getMessage().contains("missing"), defect.toString());
  }
}

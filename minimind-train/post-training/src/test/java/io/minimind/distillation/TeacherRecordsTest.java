package io.minimind.distillation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a teacher thinks, on disk. */
class TeacherRecordsTest {

  private static final int SAMPLES = 9;
  private static final int TOP = 3;

  @TempDir Path folder;

  private final Random random = new Random(1);

  private Samples samples() {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      int[] ids = random.ints(2 + random.nextInt(6), 0, 9).toArray();
      BitSet targets = new BitSet();
      for (int j = 1; j < ids.length; j++) {
        targets.set(j, j == 1 || random.nextBoolean());
      }
      samples.add(new Sample(ids, targets));
    }
    return Samples.of(samples);
  }

  /** Scores that fall, of powers of 2, and ids of the whole vocabulary. */
  private float[] found(Batch batch, int vocabulary) {
    float[] found = new float[batch.rows() * batch.length() * 2 * TOP];
    for (int token = 0; token < batch.rows() * batch.length(); token++) {
      for (int j = 0; j < TOP; j++) {
        found[token * 2 * TOP + j] = 4 - j * (1 + random.nextInt(4)) * 0.5f;
        found[token * 2 * TOP + TOP + j] = vocabulary - 1 - random.nextInt(vocabulary / 2);
      }
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 65536, 70000})
  void whatIsWrittenIsReadWhereverWritingStopped(int vocabulary) throws IOException {
    Samples samples = samples();
    TeacherRecords.Layout layout = new TeacherRecords.Layout(SAMPLES, TOP, vocabulary);
    Path file = folder.resolve("records");
    float[][] expected = new float[SAMPLES][];
    int[] order = {4, 0, 8, 2, 6, 1, 3, 7, 5};
    for (int turn = 0; turn < order.length; turn += 3) {
      try (TeacherRecords.Writer writer = TeacherRecords.write(file, layout)) {
        for (int i = 0; i < turn; i++) {
          assertTrue(writer.has(order[i]), "it goes on");
        }
        long[] rows = LongStream.of(order[turn], order[turn + 1], order[turn + 2]).toArray();
        assertFalse(writer.has(rows));
        try (Batch batch = Batch.of(samples, rows)) {
          float[] found = found(batch, vocabulary);
          writer.put(rows, batch, found);
          for (int row = 0; row < rows.length; row++) {
            expected[(int) rows[row]] = expected(samples, rows[row], row, batch, found);
          }
        }
        // What a process that is killed may leave behind its last record.
        Files.write(file, new byte[] {1, 2, 3}, StandardOpenOption.APPEND);
      }
    }
    TeacherRecords records = TeacherRecords.open(file, layout);
    for (int i = 0; i < SAMPLES; i++) {
      int length = samples.length(i);
      float[] values = new float[length * TOP + 1];
      float[] both = new float[2 * length * TOP];
      records.read(i, length, true, values);
      System.arraycopy(values, 0, both, 0, length * TOP);
      records.read(i, length, false, values);
      System.arraycopy(values, 0, both, length * TOP, length * TOP);
      assertArrayEquals(expected[i], both, "sample " + i);
    }
  }

  /** The ids of all places, then their scores less the highest; 0 where nothing counts. */
  private static float[] expected(
      Samples samples, long sample, int row, Batch batch, float[] found) {
    int length = samples.length(sample);
    float[] expected = new float[2 * length * TOP];
    for (int place = 1; place < length; place++) {
      int token = row * batch.length() + place - 1;
      if (batch.lossMask().get(token) != 0) {
        for (int j = 0; j < TOP; j++) {
          expected[place * TOP + j] = found[token * 2 * TOP + TOP + j];
          expected[(length + place) * TOP + j] =
              found[token * 2 * TOP + j] - found[token * 2 * TOP];
        }
      }
    }
    return expected;
  }

  @Test
  @DisabledOnOs(OS.WINDOWS) // where nobody can cut it
  void aFileThatIsCutWhileItIsMappedIsASentence() throws IOException {
    Samples samples = samples();
    TeacherRecords.Layout layout = new TeacherRecords.Layout(SAMPLES, TOP, 300);
    Path file = folder.resolve("records");
    long[] all = LongStream.range(0, SAMPLES).toArray();
    try (TeacherRecords.Writer writer = TeacherRecords.write(file, layout);
        Batch batch = Batch.of(samples, all)) {
      writer.put(all, batch, found(batch, 300));
    }
    TeacherRecords records = TeacherRecords.open(file, layout);
    Files.write(file, new byte[0]);
    float[] values = new float[samples.length(0) * TOP];
    IOException cut =
        assertThrows(InputException.class, () -> records.read(0, samples.length(0), true, values));
    assertEquals(file + " was cut while it was being read.", cut.getMessage());
  }

  @Test
  void damageIsNoticedWhereverItIs() throws IOException {
    Samples samples = samples();
    TeacherRecords.Layout layout = new TeacherRecords.Layout(SAMPLES, TOP, 300);
    Path file = folder.resolve("records");
    long[] all = LongStream.range(0, SAMPLES).toArray();
    try (TeacherRecords.Writer writer = TeacherRecords.write(file, layout);
        Batch batch = Batch.of(samples, all)) {
      writer.put(all, batch, found(batch, 300));
    }
    byte[] whole = Files.readAllBytes(file);
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, damaged);
      assertTrue(damagedSamples(file, layout, samples) > 0, "byte " + at);
    }
    for (int size = 0; size < whole.length; size += 7) {
      Files.write(file, Arrays.copyOf(whole, size));
      assertTrue(damagedSamples(file, layout, samples) > 0, "size " + size);
    }
    Files.write(file, whole);
    assertEquals(0, damagedSamples(file, layout, samples));
  }

  private static int damagedSamples(Path file, TeacherRecords.Layout layout, Samples samples)
      throws IOException {
    TeacherRecords records = TeacherRecords.open(file, layout);
    int damaged = 0;
    for (int i = 0; i < SAMPLES; i++) {
      try {
        records.read(i, samples.length(i), true, new float[samples.longest() * TOP]);
      } catch (InputException e) {
        damaged++;
      }
    }
    return damaged;
  }

  @Test
  void aScoreThatIsNoNumberIsRefused() throws IOException {
    TeacherRecords.Layout layout = new TeacherRecords.Layout(SAMPLES, TOP, 300);
    Samples samples = samples();
    try (TeacherRecords.Writer writer = TeacherRecords.write(folder.resolve("records"), layout);
        Batch batch = Batch.of(samples, 0)) {
      float[] found = found(batch, 300);
      Arrays.fill(found, Float.NaN);
      assertThrows(InputException.class, () -> writer.put(new long[] {0}, batch, found));
    }
  }
}

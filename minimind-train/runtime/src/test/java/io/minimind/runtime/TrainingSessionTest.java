package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.files.JavaProcess;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.ModelInTraining.Step;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingSessionTest {

  private static final int LENGTH = 12;
  private static final float UNCLIPPED = Float.POSITIVE_INFINITY;

  /**
   * With an epsilon of 1, Adam's first step is nearly proportional to the gradient; with the usual
   * one it is the gradient's sign, which rounding decides where the gradient is almost zero.
   */
  private static final OptimizerSettings PROPORTIONAL =
      new OptimizerSettings(0.9f, 0.999f, 1, 0, Float.POSITIVE_INFINITY);

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    files = TinyModel.write(folder.resolve("model"), TinyModel.CONFIG, OptimizerSettings.DEFAULT);
  }

  @Test
  void lossFallsOnARepeatedBatch() {
    Batch batch = TinyModel.batch(1, 4, LENGTH);
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      double first = session.trainStep(batch, 1, UNCLIPPED).loss();
      // Small random weights give every token about the same probability.
      assertEquals(Math.log(TinyModel.CONFIG.vocabularySize()), first, 0.1);
      double last = first;
      for (int i = 0; i < 8; i++) {
        session.optimizerStep(0.01f);
        session.resetGradients();
        double loss = session.trainStep(batch, 1, UNCLIPPED).loss();
        assertTrue(loss < last, loss + " after " + last);
        last = loss;
      }
      assertTrue(last < first - 1, "from " + first + " to " + last);
    }
  }

  @Test
  void evaluationGivesTheLossOfATrainingStep() {
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      for (int i = 0; i < 3; i++) {
        Batch batch = TinyModel.batch(i, 1 + i, LENGTH + i);
        float loss = session.evaluate(batch).loss();
        assertEquals(loss, session.trainStep(batch, 1, UNCLIPPED).loss(), 1e-6f * loss);
        assertEquals(loss, session.evaluate(batch).loss(), "evaluation changes nothing");
        session.optimizerStep(0.01f);
        assertNotEquals(loss, session.evaluate(batch).loss());
      }
    }
  }

  @Test
  void paddingChangesNothing() {
    Batch batch = TinyModel.batch(1, 3, LENGTH);
    int longer = LENGTH + 5;
    long[] ids = new long[3 * longer];
    long[] labels = new long[3 * longer];
    float[] mask = new float[3 * longer];
    for (int row = 0; row < 3; row++) {
      for (int i = 0; i < LENGTH; i++) {
        ids[row * longer + i] = batch.inputIds().get(row * LENGTH + i);
        labels[row * longer + i] = batch.labels().get(row * LENGTH + i);
        mask[row * longer + i] = 1;
      }
    }
    Batch padded = Batch.of(3, longer, ids, labels, mask);
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      Step expected = session.trainStep(batch, 1, UNCLIPPED);
      session.resetGradients();
      Step found = session.trainStep(padded, 1, UNCLIPPED);
      assertEquals(expected.loss(), found.loss(), 1e-5f * expected.loss());
      assertEquals(expected.gradientNorm(), found.gradientNorm(), 1e-5f * expected.gradientNorm());
    }
  }

  @Test
  void theScaleAppliesToTheGradientsAlone() {
    Batch batch = TinyModel.batch(1, 2, LENGTH);
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      Step whole = session.trainStep(batch, 1, UNCLIPPED);
      session.resetGradients();
      Step quarter = session.trainStep(batch, 0.25f, UNCLIPPED);
      assertEquals(whole.loss(), quarter.loss());
      assertEquals(whole.gradientNorm() / 4, quarter.gradientNorm(), 1e-5f * whole.gradientNorm());
    }
  }

  @Test
  void gradientsAddUpUntilTheyAreReset() {
    Batch batch = TinyModel.batch(1, 2, LENGTH);
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      float once = session.trainStep(batch, 1, UNCLIPPED).gradientNorm();
      assertEquals(2 * once, session.trainStep(batch, 1, UNCLIPPED).gradientNorm(), 1e-5f * once);
      assertEquals(3 * once, session.trainStep(batch, 1, UNCLIPPED).gradientNorm(), 1e-5f * once);
      session.resetGradients();
      assertEquals(once, session.trainStep(batch, 1, UNCLIPPED).gradientNorm());
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.POSITIVE_INFINITY, 0.05f})
  void aWindowOfMicroBatchesEqualsOneLargeBatch(float maxGradientNorm) throws IOException {
    files = TinyModel.write(folder.resolve("proportional"), TinyModel.CONFIG, PROPORTIONAL);
    for (int micro = 2; micro <= 4; micro++) {
      Batch joint = TinyModel.batch(9, 2 * micro, LENGTH);
      float norm;
      float loss;
      List<NamedTensor> expected;
      try (TrainingSession session = TrainingSession.open(files, 1)) {
        Step step = session.trainStep(joint, 1, maxGradientNorm);
        norm = step.gradientNorm();
        loss = step.loss();
        session.optimizerStep(1);
        expected = parameters(session);
      }
      try (TrainingSession session = TrainingSession.open(files, 1)) {
        double mean = 0;
        float last = 0;
        for (int i = 0; i < micro; i++) {
          float limit = i == micro - 1 ? maxGradientNorm : UNCLIPPED;
          Step step = session.trainStep(rows(joint, 2 * i, 2), 1f / micro, limit);
          mean += step.loss() / micro;
          last = step.gradientNorm();
        }
        assertEquals(loss, mean, 1e-5 * loss);
        assertEquals(norm, last, 1e-5 * norm);
        session.optimizerStep(1);
        double moved = assertClose(expected, parameters(session), 2e-6);
        assertTrue(moved > 1e-3, "the update must be large beside the tolerance, not " + moved);
      }
    }
  }

  private static Batch rows(Batch batch, int first, int count) {
    int length = batch.length();
    long[] ids = new long[count * length];
    long[] labels = new long[count * length];
    float[] mask = new float[count * length];
    batch.inputIds().get(first * length, ids);
    batch.labels().get(first * length, labels);
    batch.lossMask().get(first * length, mask);
    return Batch.of(count, length, ids, labels, mask);
  }

  /** Compares values, and returns how far the farthest lies from the start weights. */
  private double assertClose(List<NamedTensor> expected, List<NamedTensor> found, double tolerance)
      throws IOException {
    List<NamedTensor> start = TrainingCheckpoint.read(files.checkpoint()).trainable();
    double farthest = 0;
    for (int i = 0; i < expected.size(); i++) {
      for (int j = 0; j < expected.get(i).elements(); j++) {
        float value = expected.get(i).floats().get(j);
        assertEquals(value, found.get(i).floats().get(j), tolerance, expected.get(i).name());
        farthest = Math.max(farthest, Math.abs(value - start.get(i).floats().get(j)));
      }
    }
    return farthest;
  }

  private List<NamedTensor> parameters(TrainingSession session) throws IOException {
    Path file = folder.resolve("parameters");
    session.saveCheckpoint(file);
    return TrainingCheckpoint.read(file).trainable();
  }

  @Test
  void clippedGradientsHaveTheWantedNorm() {
    Batch batch = TinyModel.batch(1, 2, LENGTH);
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      float norm = session.trainStep(batch, 1, 0.1f).gradientNorm();
      assertTrue(norm > 0.2f, "the reported norm is that before clipping: " + norm);
      // A step that adds nothing shows what the ones before it left.
      assertEquals(0.1f, session.trainStep(batch, 0, norm).gradientNorm(), 1e-5f);
      assertEquals(0.1f, session.trainStep(batch, 0, UNCLIPPED).gradientNorm(), 1e-5f);
    }
  }

  /** What makes a resumed run equal to one that never stopped. */
  @Test
  void sessionsTrainToTheSameBits() throws IOException {
    TrainingCheckpoint first = trained();
    for (int i = 0; i < 12; i++) {
      assertEquals(first, trained(), "session " + i);
    }
  }

  private TrainingCheckpoint trained() throws IOException {
    try (TrainingSession session = TrainingSession.open(files, 2)) {
      for (int update = 0; update < 10; update++) {
        session.resetGradients();
        Batch batch = TinyModel.batch(update, 2, LENGTH);
        assertTrue(session.trainStep(batch, 1, 0.1f).gradientNorm() > 0.1f);
        session.optimizerStep(0.01f);
      }
      return checkpoint(session);
    }
  }

  /** The name where this machine's locale can express it, else what is left of it. */
  private static String encodableName(String name) {
    Charset fileNames = Charset.forName(System.getProperty("sun.jnu.encoding"));
    return fileNames.newEncoder().canEncode(name) ? name : name.replaceAll("[^ -~]", "");
  }

  @Test
  void aReopenedCheckpointGoesOnToTheBit() throws IOException {
    Path saved = folder.resolve(encodableName("saved 保存"));
    float[] losses = new float[3];
    TrainingCheckpoint end;
    try (TrainingSession session = TrainingSession.open(files, 2)) {
      for (int i = 0; i < 3; i++) {
        session.resetGradients();
        session.trainStep(TinyModel.batch(i, 3, LENGTH), 1, UNCLIPPED);
        session.optimizerStep(0.01f);
      }
      session.saveCheckpoint(saved);
      steps(session, losses);
      end = checkpoint(session);
    }
    assertEquals(3, TrainingCheckpoint.read(saved).optimizer().orElseThrow().step());
    float[] again = new float[3];
    try (TrainingSession session = TrainingSession.open(TinyModel.at(files, saved), 2)) {
      assertEquals(TrainingCheckpoint.read(saved), checkpoint(session));
      steps(session, again);
      assertEquals(end, checkpoint(session));
    }
    assertArrayEquals(losses, again);
  }

  private static void steps(TrainingSession session, float[] losses) {
    for (int i = 0; i < losses.length; i++) {
      session.resetGradients();
      losses[i] = session.trainStep(TinyModel.batch(10 + i, 2, LENGTH), 1, UNCLIPPED).loss();
      session.optimizerStep(0.005f);
    }
  }

  private TrainingCheckpoint checkpoint(TrainingSession session) throws IOException {
    Path file = folder.resolve("compared");
    session.saveCheckpoint(file);
    return TrainingCheckpoint.read(file);
  }

  @Test
  void countsItsParameters() {
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      assertEquals(TinyModel.CONFIG.parameterCount(), session.parameterCount());
    }
  }

  @Test
  void closingTwiceDoesNoHarm() {
    TrainingSession session = TrainingSession.open(files, 1);
    session.close();
    session.close();
  }

  @Test
  void brokenFilesAreRefusedWithAMessage() throws IOException {
    Random random = new Random(3);
    for (Path file :
        List.of(
            files.checkpoint(),
            files.training(),
            files.evaluation(),
            files.optimizer(),
            files.weights())) {
      byte[] sound = Files.readAllBytes(file);
      byte[] noise = new byte[5000];
      random.nextBytes(noise);
      for (byte[] broken :
          List.of(new byte[0], noise, Arrays.copyOf(sound, sound.length * 2 / 3), new byte[5000])) {
        Files.write(file, broken);
        assertRefused(files);
      }
      Files.delete(file);
      assertRefused(files);
      Files.write(file, sound);
    }
    TrainingSession.open(files, 1).close();
  }

  @Test
  void anotherArchitectureIsRefusedWithAMessage() throws IOException {
    ModelConfig deeper = ModelConfig.of(32, 2, 2, 1, 260, 32);
    ModelInTraining.Files other =
        TinyModel.write(folder.resolve("deeper"), deeper, OptimizerSettings.DEFAULT);
    assertRefused(TinyModel.at(files, other.checkpoint()));
    assertRefused(TinyModel.at(other, files.checkpoint()));
  }

  @Test
  void impossibleBatchesAreRefusedWithAMessage() {
    long[] ids = {TinyModel.CONFIG.vocabularySize()};
    try (TrainingSession session = TrainingSession.open(files, 1)) {
      Batch batch = Batch.of(1, 1, ids, new long[] {1}, new float[] {1});
      assertSays(
          assertThrows(OnnxRuntimeException.class, () -> session.trainStep(batch, 1, UNCLIPPED)));
      assertSays(assertThrows(OnnxRuntimeException.class, () -> session.evaluate(batch)));
      Path nowhere = folder.resolve("missing").resolve("checkpoint");
      assertSays(assertThrows(OnnxRuntimeException.class, () -> session.saveCheckpoint(nowhere)));
      Batch sound = TinyModel.batch(1, 1, 4);
      assertTrue(Float.isFinite(session.evaluate(sound).loss()), "the session stays usable");
    }
  }

  private static void assertRefused(ModelInTraining.Files files) {
    assertSays(
        assertThrows(OnnxRuntimeException.class, () -> TrainingSession.open(files, 1).close()));
  }

  private static void assertSays(OnnxRuntimeException e) {
    assertFalse(e.getMessage().isBlank());
  }

  /** JavaCPP would refuse memory to a process that has twice what its heap may have. */
  @Test
  void aModelMayBeManyTimesTheHeap() throws Exception {
    JavaProcess.Result result =
        JavaProcess.of(SmallHeap.class, files.checkpoint(), files.artifacts())
            .with("-Xmx16m", "--enable-native-access=ALL-UNNAMED")
            .run();
    assertEquals(0, result.status(), result.output());
    assertTrue(result.output().endsWith("trained"), result.output());
  }

  /** Trains in a process whose native libraries alone are larger than its heap. */
  static final class SmallHeap {
    public static void main(String[] args) {
      ModelInTraining.Files files =
          new ModelInTraining.Files(Path.of(args[0]), Path.of(args[1]), List.of());
      try (TrainingSession session = TrainingSession.open(files, 1)) {
        session.trainStep(TinyModel.batch(1, 4, LENGTH), 1, UNCLIPPED);
        session.optimizerStep(0.01f);
      }
      System.out.print("trained");
    }
  }
}

package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Many steps and many sessions with this project's kernels: none is left, and memory stays. Few of
 * both in every build; {@code -Dminimind.soak.steps=50000 -Dminimind.soak.sessions=1000} are many.
 */
class KernelSoakTest {

  private static final int STEPS = Integer.getInteger("minimind.soak.steps", 60);
  private static final int SESSIONS = Integer.getInteger("minimind.soak.sessions", 6);
  private static final long ALLOWED_GROWTH = 64 << 20;

  /** Made once, as a loader fills its batches anew: of many, some would wait for the collector. */
  private static final List<Batch> BATCHES =
      IntStream.range(0, 3 * 31).mapToObj(i -> TinyModel.batch(i, 1 + i % 3, 1 + i % 31)).toList();

  private static ModelInTraining open(TrainingPrecision precision) throws IOException {
    TrainingArtifacts graphs =
        new TrainingArtifacts(TinyModel.CONFIG).with(precision, Device.CPU.target());
    return ModelInTraining.builder(graphs)
        .weights(new Parameters(TinyModel.CONFIG).start(7))
        .threads(2)
        .openOne();
  }

  private static void step(ModelInTraining session, int index) {
    session.resetGradients();
    Batch batch = BATCHES.get(index % BATCHES.size());
    assertTrue(Float.isFinite(session.trainStep(batch, 1, 1).loss()));
    session.optimizerStep(1e-4f);
  }

  /**
   * Of the process, in bytes; 0 where the system does not tell. The least of several readings: what
   * the collector has found is freed on a thread of its own, some time after.
   */
  private static long resident() throws IOException {
    Path status = Path.of("/proc/self/status");
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 10; i++) {
      System.gc();
      List<String> lines = Files.exists(status) ? Files.readAllLines(status) : List.of();
      long now =
          lines.stream()
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
              .findFirst()
              .orElse(0);
      least = Math.min(least, now);
    }
    return least;
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void manyStepsOfOneSessionTakeNoMoreMemory(TrainingPrecision precision) throws IOException {
    int before = OwnKernels.open();
    try (ModelInTraining session = open(precision)) {
      assertTrue(OwnKernels.open() > before, "there is no kernel of this project in it");
      for (int i = 0; i < STEPS / 3; i++) {
        step(session, i);
      }
      long resident = resident();
      for (int i = STEPS / 3; i < STEPS; i++) {
        step(session, i);
      }
      assertFlat(resident, resident());
    }
    assertEquals(before, OwnKernels.open());
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void manySessionsLeaveNothing(TrainingPrecision precision) throws IOException {
    int before = OwnKernels.open();
    long resident = 0;
    for (int i = 0; i < SESSIONS; i++) {
      try (ModelInTraining session = open(precision)) {
        step(session, i);
      }
      assertEquals(before, OwnKernels.open(), "after session " + i);
      resident = i == SESSIONS / 3 ? resident() : resident;
    }
    assertFlat(resident, resident());
  }

  private static void assertFlat(long before, long after) {
    assertTrue(
        after - before < ALLOWED_GROWTH, () -> "from %d to %d bytes".formatted(before, after));
  }
}

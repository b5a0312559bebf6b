package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.Objective;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.Target;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TinyModel;
import io.minimind.train.TrainingState.LossScale;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training in half precision, computed on the CPU with the roundings of a device that has it. */
class MixedPrecisionTrainingTest {

  private static final int UPDATES = 40;

  @TempDir Path folder;

  private ModelInTraining.Files files(TrainingPrecision precision, Target target)
      throws IOException {
    TrainingArtifacts artifacts = new TrainingArtifacts(TinyModel.CONFIG).with(precision, target);
    return TinyModel.write(
        folder.resolve(precision + "-" + target),
        TinyModel.CONFIG,
        artifacts,
        OptimizerSettings.DEFAULT);
  }

  /** The losses of updates on four batches, again and again. */
  private List<Double> losses(TrainingPrecision precision, Target target) throws IOException {
    List<Double> losses = new ArrayList<>();
    try (ModelInTraining session = files(precision, target).open(List.of(Device.CPU), 1)) {
      session.scaleLoss(LossScale.START.factor());
      for (int i = 0; i < UPDATES; i++) {
        try (Batch batch = TinyModel.batch(i % 4, 4, 12)) {
          session.resetGradients();
          losses.add((double) session.trainStep(batch, 1, 1).loss());
        }
        session.optimizerStep(2e-3f);
      }
    }
    return losses;
  }

  @ParameterizedTest
  @CsvSource({"TF32, CUDA, 1e-4", "BFLOAT16, CPU, 0.01", "FLOAT16, CPU, 0.002"})
  void theLossFallsAsInFloat32(TrainingPrecision precision, Target target, double tolerance)
      throws IOException {
    List<Double> expected = losses(TrainingPrecision.FLOAT32, Target.CPU);
    List<Double> found = losses(precision, target);
    assertTrue(expected.get(UPDATES - 1) < 0.8 * expected.get(0), "it learns: " + expected);
    double largest = 0;
    for (int i = 0; i < UPDATES; i++) {
      double difference = Math.abs(found.get(i) / expected.get(i) - 1);
      assertTrue(difference < tolerance, "update " + i + " differs by " + difference);
      largest = Math.max(largest, difference);
    }
    // Fewer bits must show: the runtime would otherwise have removed the casts.
    assertTrue(precision == TrainingPrecision.TF32 || largest > 1e-6, "differs by " + largest);
  }

  private final class Run {
    final TrainingSettings settings;
    final CheckpointStore store = new CheckpointStore(folder.resolve("run"), 100);
    final List<TrainingListener.Update> updates = new ArrayList<>();
    final ModelInTraining.Files files;
    final int replicas;

    Run(TrainingPrecision precision, int replicas, int updates) throws IOException {
      this.replicas = replicas;
      this.files = files(precision, Target.CPU);
      this.settings =
          new TrainingSettings(
              1,
              2,
              replicas,
              1,
              1e-3f,
              0,
              LearningRateSchedule.cosine(),
              OptimizerSettings.DEFAULT,
              1,
              updates,
              100,
              1,
              100);
    }

    private ModelInTraining open(ModelInTraining.Files files) {
      return replicas == 1
          ? files.open(List.of(Device.CPU), 1)
          : files.open(Collections.nCopies(replicas, Device.CPU), 1);
    }

    void from(TrainingState state, Path checkpoint) throws IOException {
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void updated(Update update) {
              updates.add(update);
            }
          };
      try (ModelInTraining model = open(TinyModel.at(files, checkpoint))) {
        new Trainer(
                settings,
                new Objective.NextToken(),
                model,
                TinyBatches.of(TinyModel.samples(1, 120), 2, 1, 1),
                Optional.empty(),
                store,
                List.of(listener))
            .run(state, new byte[0], () -> false);
      }
    }
  }

  private static TrainingState startWith(LossScale scale) {
    return new TrainingState(
        0, 0, 0, 0, 0, OptionalDouble.empty(), OptionalDouble.empty(), Optional.of(scale));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void anUpdateWhoseGradientsOverflowIsSkippedAndTheScaleHalved(int replicas) throws IOException {
    Run run = new Run(TrainingPrecision.FLOAT16, replicas, 30);
    run.from(startWith(new LossScale(0x1p30f, 7)), run.files.checkpoint());
    List<Path> newestFirst = run.store.checkpoints();
    TrainingCheckpoint before = TrainingCheckpoint.read(run.files.checkpoint());
    float scale = 0x1p30f;
    boolean found = false;
    for (int i = 0; i < run.updates.size() && !found; i++) {
      TrainingListener.Update update = run.updates.get(i);
      found = Double.isFinite(update.gradientNorm());
      Path checkpoint = newestFirst.get(run.updates.size() - 1 - i);
      TrainingCheckpoint after = TrainingCheckpoint.read(checkpoint.resolve("checkpoint"));
      if (found) {
        assertTrue(i > 0, "the first scale is too large");
        assertEquals(Optional.of(new LossScale(scale, 1)), update.state().lossScale());
        assertNotEquals(before.trainable(), after.trainable());
      } else {
        scale /= 2;
        assertEquals(Optional.of(new LossScale(scale, 0)), update.state().lossScale());
        assertEquals(before.trainable(), after.trainable(), "weights are left alone");
      }
    }
    assertTrue(found);
  }

  @Test
  void theScaleIsKeptInTheCheckpoint() throws IOException {
    Run run = new Run(TrainingPrecision.FLOAT16, 1, 2);
    run.from(startWith(new LossScale(128, 1999)), run.files.checkpoint());
    TrainingState saved = CheckpointStore.verify(run.store.latest().orElseThrow());
    assertEquals(Optional.of(new LossScale(256, 1)), saved.lossScale());
  }

  @Test
  void aRunWithoutAScaleBeginsWithTheFirstOne() throws IOException {
    Run run = new Run(TrainingPrecision.FLOAT16, 1, 1);
    run.from(TrainingState.START, run.files.checkpoint());
    assertEquals(Optional.of(LossScale.START.kept()), run.updates.get(0).state().lossScale());
  }

  @Test
  void otherPrecisionsHaveNoScale() throws IOException {
    Run run = new Run(TrainingPrecision.BFLOAT16, 1, 1);
    run.from(TrainingState.START, run.files.checkpoint());
    assertFalse(run.updates.get(0).state().lossScale().isPresent());
  }

  /** A learning rate beyond all reason ends a run in float16 as it does in float32. */
  @Test
  void gradientsThatNoScaleHelpsEndTheRun() throws IOException {
    Run run = new Run(TrainingPrecision.FLOAT16, 1, 30);
    TrainingCheckpoint broken = TrainingCheckpoint.read(run.files.checkpoint());
    Path huge = folder.resolve("huge");
    TrainingCheckpoint.of(
            broken.trainable().stream().map(MixedPrecisionTrainingTest::enlarged).toList())
        .write(huge);
    IOException e = assertThrows(IOException.class, () -> run.from(TrainingState.START, huge));
    assertTrue(e.getMessage().contains("no longer a number"), e.getMessage());
  }

  private static NamedTensor enlarged(NamedTensor tensor) {
    float[] values = new float[(int) tensor.elements()];
    tensor.floats().get(values);
    for (int i = 0; i < values.length; i++) {
      values[i] *= 1e4f;
    }
    return NamedTensor.ofFloats(tensor.name(), values, tensor.shape());
  }
}

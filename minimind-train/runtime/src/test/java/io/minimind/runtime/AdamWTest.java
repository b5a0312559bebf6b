package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.Target;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The optimizer on the threads of a session against the runtime's, on the gradients of the same
 * graphs.
 */
class AdamWTest {

  /** Some of its parameters are several pieces, and some are not even one. */
  private static final ModelConfig CONFIG = ModelConfig.of(96, 1, 4, 2, 260, 32);

  @TempDir private Path folder;

  private TrainingArtifacts graphs() {
    return new TrainingArtifacts(CONFIG)
        .with(TrainingPrecision.FLOAT32, Target.CPU_WITH_OWN_KERNELS);
  }

  private ModelInTraining.Files own(OptimizerSettings settings) throws IOException {
    return TinyModel.write(folder.resolve("own"), CONFIG, graphs(), settings);
  }

  /** The same graphs, with the runtime's optimizer. */
  private ModelInTraining.Files runtimes(OptimizerSettings settings) throws IOException {
    Path other = folder.resolve("runtime");
    ModelInTraining.Files files = TinyModel.write(other, CONFIG, graphs(), settings);
    byte[] model = new TrainingArtifacts(CONFIG).optimizer(settings).toByteArray();
    Files.write(other.resolve(TrainingArtifacts.OPTIMIZER), model);
    return files;
  }

  private TrainingCheckpoint trained(ModelInTraining.Files files, int threads, int first, int last)
      throws IOException {
    try (TrainingSession session = TrainingSession.open(files, threads)) {
      for (int i = first; i < last; i++) {
        session.resetGradients();
        try (Batch batch = TinyModel.batch(i, 3, 20)) {
          session.trainStep(batch, 1, i % 2 == 0 ? 0.3f : Float.POSITIVE_INFINITY);
        }
        session.optimizerStep(0.01f / (i + 1));
      }
      Path file = folder.resolve("checkpoint " + last + files.artifacts().getFileName());
      session.saveCheckpoint(file);
      return TrainingCheckpoint.read(file);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0.9, 0.999, 1e-8, 0",
    "2, 0.8, 0.95, 1e-3, 0.1",
    "3, 0, 0, 1e-6, 0.01",
    "16, 0.9, 0.95, 1e-8, 0.1"
  })
  void isTheRuntimesToTheBit(int threads, float beta1, float beta2, float epsilon, float decay)
      throws IOException {
    OptimizerSettings settings = new OptimizerSettings(beta1, beta2, epsilon, decay, 1);
    ModelInTraining.Files own = own(settings);
    ModelInTraining.Files runtimes = runtimes(settings);
    TrainingCheckpoint middle = trained(own, threads, 0, 5);
    assertEquals(trained(runtimes, threads, 0, 5), middle);
    // Each goes on where the other was.
    Path ownMiddle = folder.resolve("checkpoint 5own");
    Path runtimesMiddle = folder.resolve("checkpoint 5runtime");
    TrainingCheckpoint end = trained(TinyModel.at(own, runtimesMiddle), threads, 5, 8);
    assertEquals(8, end.optimizer().orElseThrow().step());
    assertEquals(trained(TinyModel.at(runtimes, ownMiddle), threads, 5, 8), end);
  }

  @Test
  void replicasHaveItToo() throws IOException {
    ModelInTraining.Files[] both = {
      own(OptimizerSettings.DEFAULT), runtimes(OptimizerSettings.DEFAULT)
    };
    TrainingCheckpoint[] found = new TrainingCheckpoint[2];
    for (int i = 0; i < 2; i++) {
      graphs().writeReplicated(both[i].artifacts());
      try (ModelInTraining model = both[i].open(List.of(Device.CPU, Device.CPU), 2)) {
        for (int step = 0; step < 3; step++) {
          model.resetGradients();
          List<Batch> batches =
              List.of(TinyModel.batch(2 * step, 2, 20), TinyModel.batch(2 * step + 1, 2, 20));
          model.lastTrainStep(batches, 1, 0.5f);
          model.optimizerStep(0.01f);
          batches.forEach(Batch::close);
        }
        Path file = folder.resolve("replicas " + i);
        model.saveCheckpoint(file);
        found[i] = TrainingCheckpoint.read(file);
      }
    }
    assertEquals(found[1], found[0]);
  }

  @Test
  void withoutGradientsThereIsNothingToDo() throws IOException {
    try (TrainingSession session = TrainingSession.open(own(OptimizerSettings.DEFAULT), 1)) {
      assertThrows(IllegalStateException.class, () -> session.optimizerStep(0.01f));
    }
  }
}

package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.ModelConfig;
import io.minimind.model.ParameterInitializer;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingSessionTest {
  private static final ModelConfig CONFIG = ModelConfig.of(64, 2, 2, 1, 100, 32);
  private static final float CLIPPED = 0.1f;

  @TempDir private Path folder;

  /** What makes a resumed run equal to one that never stopped. */
  @Test
  void sessionsTrainToTheSameBits() throws IOException {
    TrainingSession.Files files = write();
    List<NamedTensor> first = train(files, folder.resolve("first"));
    for (int i = 0; i < 12; i++) {
      assertEquals(first, train(files, folder.resolve("later" + i)), "session " + i);
    }
  }

  private static List<NamedTensor> train(TrainingSession.Files files, Path trained)
      throws IOException {
    try (TrainingSession session = TrainingSession.open(files, 2)) {
      for (int update = 0; update < 10; update++) {
        session.resetGradients();
        assertTrue(session.trainStep(batch(update), 1, CLIPPED).gradientNorm() > CLIPPED);
        session.optimizerStep(1e-2f);
      }
      session.saveCheckpoint(trained);
    }
    return TrainingCheckpoint.read(trained).trainable();
  }

  @Test
  void clippedGradientsHaveTheWantedNorm() throws IOException {
    try (TrainingSession session = TrainingSession.open(write(), 1)) {
      session.resetGradients();
      float norm = session.trainStep(batch(0), 1, CLIPPED).gradientNorm();
      assertTrue(norm > 2 * CLIPPED, "norm " + norm);
      // A step that adds nothing shows what the ones before it left.
      assertEquals(CLIPPED, session.trainStep(batch(0), 0, norm).gradientNorm(), 1e-5f);
      assertEquals(CLIPPED, session.trainStep(batch(0), 0, norm).gradientNorm(), 1e-5f);
    }
  }

  private TrainingSession.Files write() throws IOException {
    TrainingArtifacts artifacts = new TrainingArtifacts(CONFIG);
    artifacts.write(folder, OptimizerSettings.DEFAULT);
    Path checkpoint = folder.resolve("checkpoint");
    TrainingCheckpoint.of(ParameterInitializer.initialize(artifacts.parameters(), CONFIG, 1))
        .write(checkpoint);
    return TrainingSession.Files.of(checkpoint, folder);
  }

  private static Batch batch(long seed) {
    int rows = 2;
    int length = 16;
    Random random = new Random(seed);
    long[] ids = random.longs((long) rows * length, 3, CONFIG.vocabularySize()).toArray();
    long[] labels = random.longs((long) rows * length, 3, CONFIG.vocabularySize()).toArray();
    float[] mask = new float[rows * length];
    Arrays.fill(mask, 1);
    return Batch.of(rows, length, ids, labels, mask);
  }
}

package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.model.ModelConfig;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Keeps the model in a folder up to date: after each checkpoint it has that checkpoint's weights.
 */
public final class ModelExport implements TrainingListener {

  private final Path folder;
  private final ModelConfig config;

  public ModelExport(Path folder, ModelConfig config) {
    this.folder = folder;
    this.config = config;
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) throws IOException {
    TrainingCheckpoint weights =
        TrainingCheckpoint.read(checkpoint.resolve(CheckpointStore.CHECKPOINT));
    ModelFolder.writeDecoder(folder, config, weights.trainable());
  }
}

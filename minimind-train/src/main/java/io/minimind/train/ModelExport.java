package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Keeps the model in a folder up to date: it has the weights of the last checkpoint, also where a
 * process died between writing the checkpoint and the model.
 */
public final class ModelExport implements TrainingListener {

  private final Path folder;
  private final ModelConfig config;
  private final CheckpointStore checkpoints;

  public ModelExport(Path folder, ModelConfig config, CheckpointStore checkpoints) {
    this.folder = folder;
    this.config = config;
    this.checkpoints = checkpoints;
  }

  @Override
  public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from)
      throws IOException {
    Optional<Path> latest = checkpoints.latest();
    if (latest.isPresent()) {
      saved(from, latest.get());
    }
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) throws IOException {
    ModelFolder.writeDecoder(folder, config, CheckpointStore.weights(checkpoint));
  }
}

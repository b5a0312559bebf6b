package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.AtomicFile;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps the model in a folder up to date: it has the weights of the last checkpoint, also where a
 * process died between writing the checkpoint and the model.
 */
public final class ModelExport implements TrainingListener {

  private final Path folder;
  private final ModelConfig config;
  private final Optional<LowRankAdapters> lora;
  private final CheckpointStore checkpoints;

  /**
   * @param lora if there are adapters, the model has them merged into its weights, and they lie
   *     beside it in {@code adapter.safetensors} and {@code adapter_config.json}
   */
  public ModelExport(
      Path folder,
      ModelConfig config,
      Optional<LowRankAdapters> lora,
      CheckpointStore checkpoints) {
    this.folder = folder;
    this.config = config;
    this.lora = lora;
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
    if (lora.isPresent()) {
      SafetensorsFile.write(
          folder.resolve("adapter.safetensors"),
          CheckpointStore.trained(checkpoint),
          Map.of("format", "pt"));
      AtomicFile.replace(
          folder.resolve("adapter_config.json"), Json.MAPPER.writeValueAsBytes(lora.get()));
    }
    ModelFolder.writeDecoder(folder, config, CheckpointStore.weights(checkpoint, config, lora));
  }
}

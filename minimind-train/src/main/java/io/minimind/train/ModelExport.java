package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.StoredAdapter;
import io.minimind.files.Checksums;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps the model in a folder up to date: it has the weights of the last checkpoint, also where a
 * process died between writing the checkpoint and the model.
 */
final class ModelExport implements TrainingListener {

  private final RunFolder run;
  private final TrainingListener told;

  /**
   * @param run if it trains adapters, the model has them merged into its weights, and they lie
   *     beside it as a {@link StoredAdapter}
   * @param told is told of each model that a checkpoint brought
   */
  ModelExport(RunFolder run, TrainingListener told) {
    this.run = run;
    this.told = told;
  }

  @Override
  public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from)
      throws IOException {
    Files.deleteIfExists(run.path().resolve(Checksums.INDEX));
    Optional<Path> latest = run.checkpoints().latest();
    if (latest.isPresent()) {
      write(latest.get());
    }
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) throws IOException {
    write(checkpoint);
    told.exported(state, run.path());
  }

  /** From now on the model must stay as it is: it may be what another run starts from. */
  @Override
  public void finished(TrainingState state, boolean complete) throws IOException {
    if (complete) {
      List<String> files = new ArrayList<>(List.of(ModelFolder.DECODER, ModelFolder.WEIGHTS));
      files.removeIf(file -> Files.notExists(run.path().resolve(file)));
      Checksums.write(run.path(), files);
    }
  }

  private void write(Path checkpoint) throws IOException {
    Optional<LowRankAdapters> lora = run.settings().lora();
    if (lora.isPresent()) {
      new StoredAdapter(lora.get(), CheckpointStore.trained(checkpoint)).write(run.path());
    }
    Task task = run.settings().task();
    ModelConfig config = run.settings().model();
    task.export(
        run.path(),
        config,
        CheckpointStore.weights(checkpoint, config, lora),
        CheckpointStore.those(
            task.objective().parameters(config), CheckpointStore.trained(checkpoint)));
  }
}

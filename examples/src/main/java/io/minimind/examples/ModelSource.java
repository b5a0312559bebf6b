package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.train.CheckpointStore;
import io.minimind.train.RunFolder;
import io.minimind.train.StartWeights;
import io.minimind.train.TrainingHistory;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say which model is handed on, and how exact. */
final class ModelSource {

  /** Which checkpoint of a run. */
  enum Choice {
    BEST,
    LAST;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder of a float32 model, such as the --out of a training run.")
  private Path model;

  @Option(
      names = "--quantize",
      paramLabel = "PRECISION",
      description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}, as it was trained.")
  private Precision precision = Precision.FLOAT32;

  @Option(
      names = "--checkpoint",
      paramLabel = "WHICH",
      description =
          "Of a training run, the checkpoint to take the weights from: ${COMPLETION-CANDIDATES}."
              + " The best has the lowest validation loss.")
  private Choice checkpoint;

  /**
   * @throws IOException if there is no such folder
   */
  Path folder() throws IOException {
    if (!Files.isDirectory(model)) {
      throw new IOException("There is no model folder at " + model + ".");
    }
    return model;
  }

  Precision precision() {
    return precision;
  }

  /** Whether the folder's own weights are meant, as they are. */
  boolean isUnchanged() {
    return checkpoint == null && precision == Precision.FLOAT32;
  }

  ModelConfig config() throws IOException {
    return ModelConfig.read(folder().resolve(ModelFolder.CONFIG));
  }

  /**
   * Every weight of the model, in float32.
   *
   * @throws IOException if one is missing, is of another shape, is not finite, or is quantized
   */
  List<NamedTensor> weights() throws IOException {
    List<NamedTensor> weights;
    if (checkpoint == null) {
      ModelFolder.weights(folder()); // Says so if they are quantized.
      weights = StartWeights.of(model, config());
    } else {
      Path chosen = chosen();
      CheckpointStore.verify(chosen);
      System.out.println("The weights are those of " + chosen.getFileName() + ".");
      weights = CheckpointStore.weights(chosen, config(), RunFolder.open(model).settings().lora());
    }
    for (NamedTensor weight : weights) {
      requireFinite(weight);
    }
    return weights;
  }

  /** How the model came to be, up to the checkpoint. */
  TrainingHistory history() throws IOException {
    TrainingHistory history = TrainingHistory.of(folder());
    return checkpoint == null ? history : history.endingAt(CheckpointStore.verify(chosen()));
  }

  private Path chosen() throws IOException {
    CheckpointStore checkpoints = RunFolder.open(model).checkpoints();
    Optional<Path> chosen = checkpoint == Choice.BEST ? checkpoints.best() : checkpoints.latest();
    return chosen.orElseThrow(
        () ->
            new IOException(
                checkpoint == Choice.BEST
                    ? "No checkpoint of " + model + " was validated: take --checkpoint last."
                    : "The run " + model + " has no checkpoints."));
  }

  private void requireFinite(NamedTensor weight) throws IOException {
    FloatBuffer values = weight.floats();
    for (int i = 0; i < values.limit(); i++) {
      if (!Float.isFinite(values.get(i))) {
        throw new IOException(
            "The tensor %s in %s holds %s: its training diverged, so take another model or checkpoint."
                .formatted(weight.name(), model, values.get(i)));
      }
    }
  }
}

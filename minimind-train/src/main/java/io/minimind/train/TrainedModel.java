package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.InputException;
import io.minimind.files.NewFolder;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A model as training left it, in full precision: that of a model folder, or of a checkpoint of a
 * run.
 *
 * @param folder with its configuration and tokenizer
 * @param weights every weight, float32 and finite; views of a mapped file
 * @param history how it came to be
 * @param checkpoint that it was taken from, if it was not the model of the folder
 */
public record TrainedModel(
    Path folder,
    ModelConfig config,
    List<NamedTensor> weights,
    TrainingHistory history,
    Optional<Path> checkpoint) {

  /** Which checkpoint of a run. */
  public enum Checkpoint {
    /** The one with the lowest validation loss. */
    BEST,
    LAST;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public TrainedModel {
    weights = List.copyOf(weights);
  }

  /**
   * The model of a folder.
   *
   * @throws IOException if there is no such folder, or a weight is missing, is of another shape, is
   *     not finite, or is quantized
   */
  public static TrainedModel of(Path folder) throws IOException {
    ModelConfig config = config(folder);
    ModelFolder.weights(folder); // Says so if they are quantized.
    return checked(
        folder,
        config,
        ModelFolder.weights(folder, config),
        TrainingHistory.of(folder, Catalog.NONE),
        Optional.empty());
  }

  /**
   * The model of a checkpoint.
   *
   * @param run the folder of a run
   * @throws IOException if there is no such checkpoint, it is damaged, or a weight is not finite
   */
  public static TrainedModel of(Path run, Checkpoint which) throws IOException {
    return of(run, which, Catalog.NONE);
  }

  static TrainedModel of(Path run, Checkpoint which, Catalog given) throws IOException {
    ModelConfig config = config(run);
    RunFolder opened = RunFolder.open(run, given);
    CheckpointStore checkpoints = opened.checkpoints();
    Optional<Path> found = which == Checkpoint.BEST ? checkpoints.best() : checkpoints.latest();
    Path checkpoint =
        found.orElseThrow(
            () ->
                new InputException(
                    which == Checkpoint.BEST
                        ? "No checkpoint of " + run + " was validated: take the last one."
                        : "The run " + run + " has no checkpoints."));
    TrainingState state = CheckpointStore.verify(checkpoint);
    return checked(
        run,
        config,
        CheckpointStore.weights(checkpoint, config, opened.settings().lora()),
        TrainingHistory.of(run, given).endingAt(state),
        Optional.of(checkpoint));
  }

  private static ModelConfig config(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new InputException("There is no model folder at " + folder + ".");
    }
    return ModelConfig.read(folder.resolve(ModelFolder.CONFIG));
  }

  private static TrainedModel checked(
      Path folder,
      ModelConfig config,
      List<NamedTensor> weights,
      TrainingHistory history,
      Optional<Path> checkpoint)
      throws IOException {
    for (NamedTensor weight : weights) {
      requireFinite(folder, weight);
    }
    return new TrainedModel(folder, config, weights, history, checkpoint);
  }

  private static void requireFinite(Path folder, NamedTensor weight) throws IOException {
    FloatBuffer values = weight.floats();
    for (int i = 0; i < values.limit(); i++) {
      if (!Float.isFinite(values.get(i))) {
        throw new InputException(
            "The tensor %s in %s holds %s: its training diverged, so take another model or checkpoint."
                .formatted(weight.name(), folder, values.get(i)));
      }
    }
  }

  /**
   * @throws IOException if a folder holds a run or a model already, which would be lost
   */
  public static void requireNone(Path folder) throws IOException {
    RunFolder.requireNone(folder);
  }

  /**
   * Writes a model folder for applications.
   *
   * @param to must not exist, or be empty; it is there whole or not at all
   * @param precision how its matrices are kept
   * @throws IOException if there is something already, or it cannot be written
   */
  public void export(Path to, Precision precision) throws IOException {
    RunFolder.requireNone(to);
    try (NewFolder made = NewFolder.at(to)) {
      history.write(made.path());
      ModelFolder.writeConfiguration(made.path(), config, precision, folder);
      ModelFolder.writeDecoder(made.path(), config, precision, weights);
      made.finish();
    }
  }
}

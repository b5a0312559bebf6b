package io.minimind.examples;

import io.minimind.model.Precision;
import io.minimind.train.TrainedModel;
import io.minimind.train.TrainedModel.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say which model is handed on, and how exact. */
final class ModelSource {

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
  private Checkpoint checkpoint;

  Path folder() {
    return model;
  }

  Precision precision() {
    return precision;
  }

  /** Whether the folder's own weights are meant, as they are. */
  boolean isUnchanged() {
    return checkpoint == null && precision == Precision.FLOAT32;
  }

  /**
   * The model itself.
   *
   * @throws IOException as {@link TrainedModel} says
   */
  TrainedModel model() throws IOException {
    if (checkpoint == null) {
      return TrainedModel.of(model);
    }
    TrainedModel chosen = TrainedModel.of(model, checkpoint);
    System.out.println(
        "The weights are those of " + chosen.checkpoint().orElseThrow().getFileName() + ".");
    return chosen;
  }
}

package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.train.CheckpointStore;
import io.minimind.train.RunFolder;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Writes a model folder for applications, smaller and faster if it is quantized. */
@Command(
    name = "export",
    description = {
      "Writes a model folder for applications.",
      "With --quantize its matrices have 8 or 4 bits a weight: smaller, faster, and a little less"
          + " exact. 'minimind bench decode' shows how much."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class Export implements Callable<Integer> {

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
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; made if it is missing.")
  private Path out;

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

  public static void main(String[] args) {
    MiniMind.run(new Export(), args);
  }

  @Override
  public Integer call() throws IOException {
    if (!Files.isDirectory(model)) {
      throw new IOException("There is no model folder at " + model + ".");
    }
    if (Files.exists(out) && Files.isSameFile(model, out)) {
      throw new IOException("--out must be another folder than --model: both are " + out + ".");
    }
    RunFolder.requireNone(out);
    System.out.println(write(model, weights(), precision, out));
    return 0;
  }

  /**
   * Writes a model folder.
   *
   * @param model the folder with configuration and tokenizer
   * @return what was written, in a line
   */
  static String write(Path model, List<NamedTensor> weights, Precision precision, Path out)
      throws IOException {
    ModelConfig config = ModelConfig.read(model.resolve(ModelFolder.CONFIG));
    ModelFolder.writeConfiguration(out, config, precision, model);
    ModelFolder.writeDecoder(out, config, precision, weights);
    return String.format(
        Locale.ROOT,
        "%s: %s, %,d parameters, %.1f MB of weights (float32: %.1f MB)",
        out,
        precision,
        config.parameterCount(),
        Files.size(out.resolve(ModelFolder.WEIGHTS)) / 1e6,
        config.parameterCount() * Float.BYTES / 1e6);
  }

  private List<NamedTensor> weights() throws IOException {
    if (checkpoint == null) {
      return ModelFolder.weights(model);
    }
    RunFolder run = RunFolder.open(model);
    CheckpointStore checkpoints = run.checkpoints();
    Optional<Path> chosen = checkpoint == Choice.BEST ? checkpoints.best() : checkpoints.latest();
    Path folder =
        chosen.orElseThrow(
            () ->
                new IOException(
                    checkpoint == Choice.BEST
                        ? "No checkpoint of " + model + " was validated: take --checkpoint last."
                        : "The run " + model + " has no checkpoints."));
    CheckpointStore.verify(folder);
    System.out.println("The weights are those of " + folder.getFileName() + ".");
    return CheckpointStore.weights(folder, run.settings().lora());
  }
}

package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.train.TrainedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

  @Mixin private ModelSource source;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; made if it is missing.")
  private Path out;

  public static void main(String[] args) {
    MiniMind.run(new Export(), args);
  }

  @Override
  public Integer call() throws IOException {
    Path model = source.folder();
    if (Files.exists(out) && Files.exists(model) && Files.isSameFile(model, out)) {
      throw new InputException("--out must be another folder than --model: both are " + out + ".");
    }
    TrainedModel trained = source.model();
    trained.export(out, source.precision());
    System.out.println(describe(out, trained.config(), source.precision()));
    return 0;
  }

  /** What was written, in a line. */
  static String describe(Path out, ModelConfig config, Precision precision) throws IOException {
    return String.format(
        Locale.ROOT,
        "%s: %s, %,d parameters, %.1f MB of weights (float32: %.1f MB)",
        out,
        precision,
        config.parameterCount(),
        Files.size(out.resolve(ModelFolder.WEIGHTS)) / 1e6,
        config.parameterCount() * Float.BYTES / 1e6);
  }
}

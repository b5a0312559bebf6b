package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.TemporaryFolder;
import io.minimind.interchange.ModelExport;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.train.RunFolder;
import io.minimind.train.TrainingHistory;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
          + " exact. 'minimind bench decode' shows how much.",
      "With --format it is written for other programs: a folder for transformers, GGUF for"
          + " llama.cpp and Ollama, or a .pth as MiniMind's own scripts save it."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class Export implements Callable<Integer> {

  @Mixin private ModelSource source;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; made if it is missing. With --format pth, the file.")
  private Path out;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "For other programs: ${COMPLETION-CANDIDATES}.")
  private ModelExport.Format format;

  public static void main(String[] args) {
    MiniMind.run(new Export(), args);
  }

  @Override
  public Integer call() throws IOException {
    Path model = source.folder();
    if (Files.exists(out) && Files.isSameFile(model, out)) {
      throw new IOException("--out must be another folder than --model: both are " + out + ".");
    }
    RunFolder.requireNone(out);
    if (format != null) {
      exportForOthers(model);
      System.out.printf("%s: written for %s%n", out, format);
      return 0;
    }
    System.out.println(write(model, source.weights(), source.precision(), source.history(), out));
    return 0;
  }

  private void exportForOthers(Path model) throws IOException {
    if (source.isUnchanged()) {
      ModelExport.write(model, format, out);
      return;
    }
    try (TemporaryFolder chosen = TemporaryFolder.create()) {
      write(model, source.weights(), source.precision(), source.history(), chosen.path());
      ModelExport.write(chosen.path(), format, out);
    }
  }

  /**
   * Writes a model folder.
   *
   * @param model the folder with configuration and tokenizer
   * @param history of the model, which it keeps
   * @return what was written, in a line
   */
  static String write(
      Path model, List<NamedTensor> weights, Precision precision, TrainingHistory history, Path out)
      throws IOException {
    ModelConfig config = ModelConfig.read(model.resolve(ModelFolder.CONFIG));
    history.write(out);
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
}

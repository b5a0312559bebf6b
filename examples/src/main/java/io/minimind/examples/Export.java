package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.ArgumentException;
import io.minimind.files.TemporaryFolder;
import io.minimind.interchange.ModelExport;
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
          + " exact. 'minimind bench decode' shows how much.",
      "With --format it is written for other programs: a folder for transformers, GGUF for"
          + " llama.cpp and Ollama, a folder for onnxruntime-genai, or a .pth as MiniMind's own"
          + " scripts save it. peft is the adapter of a run with --lora-rank alone, for the model"
          + " that the run started from."
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
    if (Files.exists(out) && Files.exists(model) && Files.isSameFile(model, out)) {
      throw new ArgumentException(
          "--out must be another folder than --model: both are " + out + ".");
    }
    if (format != null) {
      exportForOthers();
      System.out.printf("%s: written for %s%n", out, format);
      return 0;
    }
    TrainedModel trained = source.model();
    trained.export(out, source.precision());
    System.out.println(describe(out, trained.config(), source.precision()));
    return 0;
  }

  private void exportForOthers() throws IOException {
    TrainedModel.requireNone(out);
    if (source.isUnchanged()) {
      ModelExport.write(source.folder(), format, out);
      return;
    }
    if (format == ModelExport.Format.PEFT) {
      throw new ArgumentException(
          "An adapter is exported as it lies beside the model: leave out --quantize and"
              + " --checkpoint.");
    }
    try (TemporaryFolder chosen = TemporaryFolder.create()) {
      source.model().export(chosen.path(), source.precision());
      ModelExport.write(chosen.path(), format, out);
    }
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

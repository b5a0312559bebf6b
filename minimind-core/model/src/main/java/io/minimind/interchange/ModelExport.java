package io.minimind.interchange;

import io.minimind.artifact.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Writes a model of this project for other programs. */
public final class ModelExport {

  /** For which programs. */
  public enum Format {
    /** A folder for transformers, and what reads such folders. */
    TRANSFORMERS,
    /** A file for llama.cpp, and a Modelfile for Ollama beside it. */
    GGUF,
    /** A folder for onnxruntime-genai. */
    GENAI,
    /** A state dictionary as MiniMind's own scripts save it. */
    PTH,
    /** The adapter beside a model, as PEFT keeps one; its base is the model without. */
    PEFT;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private ModelExport() {}

  /**
   * Writes a model.
   *
   * @param model a folder of this project; quantized matrices go into GGUF as they are, and are
   *     dequantized for the others
   * @param target a folder, made if it is missing; for a state dictionary a file
   * @throws IOException with one sentence, if the folder holds no model, the format cannot hold it,
   *     or the target cannot be written
   */
  public static void write(Path model, Format format, Path target) throws IOException {
    StoredModel stored = new StoredModel(model);
    if (Files.exists(target) && Files.isSameFile(model, target)) {
      throw new IOException("The model cannot be exported into its own folder, " + target + ".");
    }
    try {
      switch (format) {
        case TRANSFORMERS -> TransformersFolder.write(stored, folder(target));
        case GGUF -> GgufExport.write(stored, folder(target));
        case GENAI -> GenaiExport.write(stored, folder(target));
        case PTH -> StateDictionary.write(stored, target);
        case PEFT -> PeftExport.write(stored, folder(target));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("%s cannot be exported: %s".formatted(model, e.getMessage()), e);
    }
  }

  private static Path folder(Path target) throws IOException {
    if (Files.exists(target.resolve(ModelFolder.DECODER))) {
      throw new IOException(
          "The folder %s holds a model of this project: choose another.".formatted(target));
    }
    Files.createDirectories(target);
    return target;
  }
}

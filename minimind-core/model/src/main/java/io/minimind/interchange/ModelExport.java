package io.minimind.interchange;

import io.minimind.files.NewFolder;
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
   * @param target a folder, which must not exist or be empty, and is there whole or not at all; for
   *     a state dictionary a file
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
        case TRANSFORMERS -> write(target, folder -> TransformersFolder.write(stored, folder));
        case GGUF -> write(target, folder -> GgufExport.write(stored, folder));
        case GENAI -> write(target, folder -> GenaiExport.write(stored, folder));
        case PTH -> StateDictionary.write(stored, target);
        case PEFT -> write(target, folder -> PeftExport.write(stored, folder));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("%s cannot be exported: %s".formatted(model, e.getMessage()), e);
    }
  }

  private interface Content {
    void writeTo(Path folder) throws IOException;
  }

  private static void write(Path target, Content content) throws IOException {
    try (NewFolder folder = NewFolder.at(target)) {
      content.writeTo(folder.path());
      folder.finish();
    }
  }
}

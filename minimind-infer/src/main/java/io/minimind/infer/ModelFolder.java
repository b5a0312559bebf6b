package io.minimind.infer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.minimind.files.Checksums;
import io.minimind.files.InputFile;
import io.minimind.files.JsonTree;
import io.minimind.files.ModelFiles;
import io.minimind.tokenizer.Tokenizer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/** The files of a model. */
record ModelFolder(Path path) {
  static ModelFolder of(Path path) throws IOException {
    if (isForeign(path)) {
      throw new IOException(
          "%s is a model of another project: make a model folder of it with './minimind import --from %s --to DIR', or with ModelImport of minimind-model."
              .formatted(path, path));
    }
    if (!Files.isDirectory(path)) {
      throw new FileNotFoundException("There is no model folder at " + path + ".");
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      for (Path file : files) {
        checkInside(path, file);
      }
    }
    return new ModelFolder(path);
  }

  /**
   * Reads a model while the runtime starts; its checksums first, if the options ask for them.
   *
   * @throws IOException if there is no model, or a file is missing or broken
   */
  static <T> T load(Path path, LoadOptions options, RuntimeEnvironment.Reading<T> reading)
      throws IOException {
    of(path); // Nothing is started for what is no model.
    return RuntimeEnvironment.startBeside(
        () -> {
          if (options.checksums()) {
            Checksums.verify(path);
          }
          return reading.read();
        });
  }

  /** Whether this is what other programs load: weights that they know, and no decoder of ours. */
  private static boolean isForeign(Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return path.toString().matches(".*\\.(gguf|pth|pt|bin|safetensors)");
    }
    if (!Files.isDirectory(path) || Files.exists(path.resolve(ModelFiles.DECODER))) {
      return false;
    }
    Path config = path.resolve(ModelFiles.CONFIG);
    // Ours say nothing of a class.
    if (Files.isRegularFile(config) && read(config).has("model_type")) {
      return true;
    }
    try (DirectoryStream<Path> weights = Files.newDirectoryStream(path, "*.{bin,pth,gguf}")) {
      return weights.iterator().hasNext();
    }
  }

  /** A folder that somebody handed over must not read what lies elsewhere on this machine. */
  private static void checkInside(Path folder, Path file) throws IOException {
    if (Files.isSymbolicLink(file)
        && Files.exists(file)
        && !file.toRealPath().startsWith(folder.toRealPath())) {
      throw new IOException(
          file + " is a link out of the model folder; put a copy of the file in its place.");
    }
  }

  Path file(String name) throws IOException {
    Path file = path.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new FileNotFoundException(
          "The model folder " + path + " has no " + name + "; export or download the model again.");
    }
    return file;
  }

  /** The most tokens, prompt and answer together, that the model can take. */
  int contextLength() throws IOException {
    Path file = file(ModelFiles.CONFIG);
    JsonNode length = read(file).path("max_position_embeddings");
    if (!length.isInt() || length.intValue() < 1) {
      throw new IOException(
          file + " must give max_position_embeddings as a whole number of at least 1.");
    }
    return length.intValue();
  }

  /** The ids that end a text as the configuration gives them, empty if it names none. */
  Set<Integer> endOfText() throws IOException {
    Set<Integer> ids = new TreeSet<>();
    for (String name : new String[] {ModelFiles.GENERATION_CONFIG, ModelFiles.CONFIG}) {
      if (ids.isEmpty()) {
        JsonNode value = field(name, "eos_token_id");
        if (value.isInt()) {
          ids.add(value.intValue());
        }
        for (JsonNode id : value) {
          ids.add(id.intValue());
        }
      }
    }
    return ids;
  }

  /** The token that the tokenizer's configuration says ends a text. */
  OptionalInt endOfText(Tokenizer tokenizer) throws IOException {
    return role("eos_token", tokenizer);
  }

  /**
   * The token that begins a text: what the tokenizer's configuration says, which may be none, or
   * else that of the model.
   */
  OptionalInt startOfText(Tokenizer tokenizer) throws IOException {
    if (!field(ModelFiles.TOKENIZER_CONFIG, "bos_token").isMissingNode()) {
      return role("bos_token", tokenizer);
    }
    for (String name : new String[] {ModelFiles.GENERATION_CONFIG, ModelFiles.CONFIG}) {
      JsonNode id = field(name, "bos_token_id");
      if (id.isInt() && id.intValue() >= 0 && id.intValue() < tokenizer.vocabularySize()) {
        return OptionalInt.of(id.intValue());
      }
    }
    return OptionalInt.empty();
  }

  private OptionalInt role(String name, Tokenizer tokenizer) throws IOException {
    JsonNode token = field(ModelFiles.TOKENIZER_CONFIG, name);
    JsonNode written = token.isObject() ? token.path("content") : token;
    return written.isTextual() ? tokenizer.tokenId(written.textValue()) : OptionalInt.empty();
  }

  /** A field of a file; missing if the file is. */
  private JsonNode field(String name, String field) throws IOException {
    return Files.exists(path.resolve(name))
        ? read(file(name)).path(field)
        : MissingNode.getInstance();
  }

  private static JsonNode read(Path file) throws IOException {
    JsonNode root = InputFile.json(file, JsonTree::read);
    if (!root.isObject()) {
      throw new IOException(file + " must hold a JSON object.");
    }
    return root;
  }
}

package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A model of another project: its tensors, what it is, its tokenizer, and the ids that end a text.
 */
final class Source {

  private final Path path;
  private final TensorSet tensors;
  private final Architecture architecture;
  private final Optional<Path> tokenizer;
  private final Optional<GgufFile> gguf;
  private final List<String> notes = new ArrayList<>();

  private Source(
      Path path,
      TensorSet tensors,
      Optional<GgufFile> gguf,
      Optional<Path> tokenizer,
      ObjectNode settings)
      throws IOException {
    this.path = path;
    this.tensors = tensors;
    this.gguf = gguf;
    this.tokenizer = tokenizer;
    try {
      architecture = architecture(settings);
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException("%s cannot be imported: %s".formatted(path, e.getMessage()), e);
    }
  }

  static Source of(Path path, Optional<Path> tokenizer, ObjectNode settings) throws IOException {
    Path weights = Files.isDirectory(path) ? weights(path) : path;
    Optional<GgufFile> gguf =
        GgufFile.isGguf(weights) ? Optional.of(GgufFile.open(weights)) : Optional.empty();
    TensorSet tensors =
        new TensorSet(
            weights.toString(),
            gguf.isPresent()
                ? WeightFiles.thatMayBeCut(weights, gguf.get().tensors())
                : WeightFiles.open(weights));
    return new Source(path, tensors, gguf, tokenizer, settings);
  }

  private static Path weights(Path folder) throws IOException {
    if (Files.exists(folder.resolve(GenaiExport.CONFIG))) {
      throw new IOException(
          folder + " was written for ONNX Runtime GenAI: import the model that it was made from.");
    }
    if (Files.exists(folder.resolve(ModelFolder.DECODER))
        && Files.exists(folder.resolve(ModelFolder.WEIGHTS))) {
      throw new IOException(folder + " is a model of this project: it need not be imported.");
    }
    if (Files.exists(folder.resolve(ModelFolder.CONFIG))) {
      // What it says comes before what is missing: some have weights of another kind.
      TransformersConfig.requireKnown(folder, Json.read(folder.resolve(ModelFolder.CONFIG)));
    }
    Optional<Path> named = WeightFiles.in(folder);
    if (named.isPresent()) {
      return named.get();
    }
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> others =
          files
              .filter(file -> file.toString().matches(".*\\.(safetensors|pth|pt|bin|gguf)"))
              .sorted()
              .toList();
      if (others.size() == 1) {
        return others.get(0);
      }
      throw new IOException(
          others.isEmpty()
              ? folder + " holds no weights: expected model.safetensors or pytorch_model.bin."
              : "%s holds several files of weights: name one of %s."
                  .formatted(folder, others.stream().map(Path::getFileName).toList()));
    }
  }

  private Architecture architecture(ObjectNode settings) throws IOException {
    if (gguf.isPresent()) {
      return GgufModel.read(gguf.get().metadata(), tensors);
    }
    Path config = folder().resolve(ModelFolder.CONFIG);
    if (Files.isDirectory(path) && Files.exists(config)) {
      ObjectNode json = Json.read(config);
      if (!json.path("model_type").asText().equals("minimind")) {
        return TransformersConfig.read(json, tensors);
      }
      json.setAll(settings);
      return MiniMindModel.read(tensors, json, notes);
    }
    if (MiniMindModel.isMiniMind(tensors)) {
      return MiniMindModel.read(tensors, settings, notes);
    }
    throw new IOException("there is no config.json beside it that says what it is.");
  }

  private Path folder() {
    return Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
  }

  TensorSet tensors() {
    return tensors;
  }

  Architecture architecture() {
    return architecture;
  }

  List<String> notes() {
    return List.copyOf(notes);
  }

  /**
   * The folder of the tokenizer.
   *
   * @param temporary where one is written that is in no folder yet
   */
  Path tokenizer(Path temporary) throws IOException {
    if (tokenizer.isPresent()) {
      return tokenizer.get();
    }
    boolean beside =
        Files.exists(folder().resolve("tokenizer.json"))
            || Files.exists(folder().resolve("tokenizer.model"));
    if (beside) {
      return folder();
    }
    if (gguf.isPresent()) {
      GgufTokenizer.write(gguf.get().metadata(), temporary);
      return temporary;
    }
    throw new IOException(
        "There is no tokenizer beside %s: name the folder of its tokenizer.".formatted(path));
  }

  /** The ids that begin and end a text, from whichever file says it first. */
  ObjectNode generation(Tokenizer loaded, Path tokenizerFolder) throws IOException {
    ObjectNode generation = Json.MAPPER.createObjectNode();
    for (String field : List.of("bos_token_id", "eos_token_id", "pad_token_id")) {
      Set<Integer> ids = ids(field, loaded, tokenizerFolder);
      ids.removeIf(id -> id < 0 || id >= loaded.vocabularySize());
      if (ids.size() == 1) {
        generation.put(field, ids.iterator().next());
      } else if (!ids.isEmpty()) {
        ArrayNode list = generation.putArray(field);
        ids.forEach(list::add);
      }
    }
    return generation;
  }

  private Set<Integer> ids(String field, Tokenizer loaded, Path tokenizerFolder)
      throws IOException {
    Set<Integer> ids = new TreeSet<>();
    if (gguf.isPresent()) {
      String prefix = "tokenizer.ggml.";
      String key = field.replace("pad_", "padding_");
      List<String> keys =
          field.equals("eos_token_id")
              ? List.of(prefix + key, prefix + "eot_token_id", prefix + "eom_token_id")
              : List.of(prefix + key);
      for (String one : keys) {
        OptionalLong id = gguf.get().metadata().integer(one);
        id.ifPresent(value -> ids.add((int) Math.min(value, Integer.MAX_VALUE)));
      }
      return ids;
    }
    for (String file : List.of(ModelFolder.GENERATION_CONFIG, ModelFolder.CONFIG)) {
      Path json = folder().resolve(file);
      if (ids.isEmpty() && Files.isDirectory(path) && Files.exists(json)) {
        JsonNode value = Json.read(json).path(field);
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
          if (id.isInt()) {
            ids.add(id.intValue());
          }
        }
      }
    }
    Path config = tokenizerFolder.resolve(ModelFolder.TOKENIZER_CONFIG);
    if (ids.isEmpty() && Files.exists(config)) {
      JsonNode token = Json.read(config).path(field.replace("_id", ""));
      loaded
          .tokenId(token.isObject() ? token.path("content").asText() : token.asText())
          .ifPresent(ids::add);
    }
    return ids;
  }
}

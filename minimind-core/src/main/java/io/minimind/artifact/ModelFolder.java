package io.minimind.artifact;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.minimind.files.AtomicFile;
import io.minimind.graph.Graph.ExternalData;
import io.minimind.model.ModelConfig;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A folder that is a model: {@code model.safetensors} holds the weights once, {@code model.onnx} is
 * the decoder that refers to them, and beside them lie {@code config.json}, {@code
 * generation_config.json}, {@code tokenizer.json} and, where there are such, {@code
 * tokenizer_config.json} and {@code chat_template.jinja}.
 */
public final class ModelFolder {

  public static final String DECODER = "model.onnx";
  public static final String WEIGHTS = "model.safetensors";
  public static final String CONFIG = "config.json";
  public static final String GENERATION_CONFIG = "generation_config.json";
  public static final String TOKENIZER = "tokenizer.json";
  public static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  public static final String CHAT_TEMPLATE = "chat_template.jinja";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ModelFolder() {}

  /**
   * Writes what belongs to a model besides its weights.
   *
   * @param tokenizer the folder that holds {@code tokenizer.json}
   * @throws IOException if the tokenizer is missing or broken, or a file cannot be written
   */
  public static void writeConfiguration(Path folder, ModelConfig config, Path tokenizer)
      throws IOException {
    Map<String, Integer> generation = new LinkedHashMap<>();
    Tokenizer loaded = Tokenizer.load(tokenizer);
    loaded.tokenId("<s>").ifPresent(id -> generation.put("bos_token_id", id));
    loaded.tokenId("</s>").ifPresent(id -> generation.put("eos_token_id", id));
    Files.createDirectories(folder);
    copy(tokenizer.resolve(TOKENIZER), folder.resolve(TOKENIZER));
    for (String name : List.of(TOKENIZER_CONFIG, CHAT_TEMPLATE)) {
      if (Files.exists(tokenizer.resolve(name))) {
        copy(tokenizer.resolve(name), folder.resolve(name));
      }
    }
    AtomicFile.replace(folder.resolve(CONFIG), config.toJson().getBytes(StandardCharsets.UTF_8));
    AtomicFile.replace(folder.resolve(GENERATION_CONFIG), JSON.writeValueAsBytes(generation));
  }

  /**
   * Writes weights and decoder graph.
   *
   * @param weights every parameter of the architecture, by its name
   */
  public static void writeDecoder(Path folder, ModelConfig config, List<NamedTensor> weights)
      throws IOException {
    Path file = folder.resolve(WEIGHTS);
    SafetensorsFile.write(file, weights, Map.of("format", "pt"));
    SafetensorsFile written = SafetensorsFile.open(file);
    Map<String, ExternalData> places = new HashMap<>();
    for (NamedTensor weight : weights) {
      long length = weight.elements() * weight.type().bytes();
      places.put(
          weight.name(), new ExternalData(WEIGHTS, written.dataOffset(weight.name()), length));
    }
    AtomicFile.replace(
        folder.resolve(DECODER), DecoderArtifact.create(config, places).toByteArray());
  }

  private static void copy(Path from, Path to) throws IOException {
    if (!from.toAbsolutePath().normalize().equals(to.toAbsolutePath().normalize())) {
      AtomicFile.replace(to, Files.readAllBytes(from));
    }
  }
}

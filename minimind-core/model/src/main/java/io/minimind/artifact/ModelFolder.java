package io.minimind.artifact;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.Checksums;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.ModelFiles;
import io.minimind.files.StrictJson;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph.ExternalData;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.tokenizer.TokenRoles;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.BlockQuantization;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder that is a model: {@code model.safetensors} holds the weights once, {@code model.onnx} is
 * the decoder that refers to them, and beside them lie {@code config.json}, {@code
 * generation_config.json}, {@code tokenizer.json} and, where there are such, {@code
 * tokenizer_config.json} and {@code chat_template.jinja}.
 */
public final class ModelFolder {

  public static final String DECODER = ModelFiles.DECODER;
  public static final String WEIGHTS = ModelFiles.WEIGHTS;
  public static final String CONFIG = ModelFiles.CONFIG;
  public static final String GENERATION_CONFIG = ModelFiles.GENERATION_CONFIG;
  public static final String TOKENIZER_CONFIG = ModelFiles.TOKENIZER_CONFIG;
  public static final String CHAT_TEMPLATE = ModelFiles.CHAT_TEMPLATE;

  /** What a model's texts are made with. */
  private static final List<String> TEXTS =
      List.of(ModelFiles.TOKENIZER, ModelFiles.SENTENCE_PIECE, TOKENIZER_CONFIG, CHAT_TEMPLATE);

  private static final ObjectMapper JSON =
      StrictJson.mapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ModelFolder() {}

  /**
   * Writes what belongs to a float32 model besides its weights. Of an earlier model in the folder,
   * tokenizer and chat template give way, even where this one has none.
   *
   * @param tokenizer the folder of the tokenizer
   * @throws IOException if the tokenizer is missing or broken, or a file cannot be written
   */
  public static void writeConfiguration(Path folder, ModelConfig config, Path tokenizer)
      throws IOException {
    writeConfiguration(folder, config, Precision.FLOAT32, tokenizer);
  }

  /** As {@link #writeConfiguration(Path, ModelConfig, Path)}, for a model of any precision. */
  public static void writeConfiguration(
      Path folder, ModelConfig config, Precision precision, Path tokenizer) throws IOException {
    Map<String, Integer> generation = new LinkedHashMap<>();
    Tokenizer loaded = Tokenizer.load(tokenizer);
    TokenRoles roles = TokenRoles.load(tokenizer, loaded);
    putId(generation, "bos_token_id", roles.begin(), loaded);
    putId(generation, "eos_token_id", roles.end(), loaded);
    putId(generation, "pad_token_id", roles.padding(), loaded);
    Folders.create(folder);
    for (String name : TEXTS) {
      if (Files.exists(tokenizer.resolve(name))) {
        copy(tokenizer.resolve(name), folder.resolve(name));
      } else {
        Files.deleteIfExists(folder.resolve(name));
      }
    }
    writeConfig(folder, config, precision);
    AtomicFile.replace(folder.resolve(GENERATION_CONFIG), JSON.writeValueAsBytes(generation));
  }

  private static void putId(
      Map<String, Integer> ids, String field, Optional<String> token, Tokenizer tokenizer) {
    token.ifPresent(known -> ids.put(field, tokenizer.tokenId(known).getAsInt()));
  }

  /** The files of a folder that belong to its model besides the weights, as many as there are. */
  public static List<Path> configuration(Path folder) {
    return Stream.concat(Stream.of(CONFIG, GENERATION_CONFIG), TEXTS.stream())
        .map(folder::resolve)
        .filter(Files::exists)
        .toList();
  }

  /** Writes {@code config.json}, which says what a decoder is. */
  public static void writeConfig(Path folder, ModelConfig config, Precision precision)
      throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(config.toJson());
    if (precision.isQuantized()) {
      ObjectNode quantization = json.putObject("quantization_config");
      quantization.put("quant_method", "minimind_blocks");
      quantization.put("bits", precision.bits());
      quantization.put("group_size", BlockQuantization.BLOCK);
    }
    AtomicFile.replace(folder.resolve(CONFIG), JSON.writeValueAsBytes(json));
  }

  /** Writes float32 weights and the decoder graph that refers to them. */
  public static void writeDecoder(Path folder, ModelConfig config, List<NamedTensor> weights)
      throws IOException {
    writeDecoder(folder, config, Precision.FLOAT32, weights);
  }

  /**
   * Writes weights and decoder graph.
   *
   * @param precision how the files keep matrices
   * @param weights every parameter of the architecture in float32, by its name
   * @throws IllegalArgumentException if a parameter is missing or cannot be quantized
   */
  public static void writeDecoder(
      Path folder, ModelConfig config, Precision precision, List<NamedTensor> weights)
      throws IOException {
    List<SafetensorsFile.Part> stored =
        precision.parts(config, weights.stream().map(StreamedTensor::of).toList());
    writeDecoder(folder, config, precision, stored, () -> {});
  }

  /**
   * Writes weights, which are read piece by piece, and decoder graph.
   *
   * @param precision how the files keep matrices
   * @param weights every parameter of the architecture, by its name
   * @param written called when another of them has been written
   * @throws IllegalArgumentException if a parameter is missing or cannot be quantized
   */
  public static void writeStreamed(
      Path folder,
      ModelConfig config,
      Precision precision,
      List<StreamedTensor> weights,
      Runnable written)
      throws IOException {
    writeDecoder(folder, config, precision, precision.parts(config, weights), written);
  }

  private static void writeDecoder(
      Path folder,
      ModelConfig config,
      Precision precision,
      List<SafetensorsFile.Part> stored,
      Runnable done)
      throws IOException {
    Path file = folder.resolve(WEIGHTS);
    List<SafetensorsFile.Part> told =
        stored.stream()
            .map(
                part ->
                    new SafetensorsFile.Part(
                        part.name(),
                        part.type(),
                        part.shape(),
                        channel -> {
                          part.content().writeTo(channel);
                          done.run();
                        }))
            .toList();
    SafetensorsFile.writeParts(file, told, Map.of("format", "pt"));
    SafetensorsFile written = SafetensorsFile.open(file);
    Map<String, ExternalData> places = new HashMap<>();
    for (SafetensorsFile.Part part : stored) {
      places.put(
          part.name(), new ExternalData(WEIGHTS, written.dataOffset(part.name()), part.bytes()));
    }
    AtomicFile.replace(
        folder.resolve(DECODER), DecoderArtifact.create(config, precision, places).toByteArray());
  }

  /**
   * The weights of a float32 model.
   *
   * @throws IOException if there are none, or they are quantized, or the file is damaged
   */
  public static List<NamedTensor> weights(Path folder) throws IOException {
    Path file = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(file)) {
      throw new FileNotFoundException(
          "There is no model in " + folder + ": it has no " + WEIGHTS + ".");
    }
    List<NamedTensor> weights = SafetensorsFile.open(file).tensors();
    if (weights.stream().anyMatch(weight -> weight.type() != ElementType.FLOAT32)) {
      throw new IOException(
          "The weights in " + file + " are quantized already: give the float32 model instead.");
    }
    return weights;
  }

  /**
   * The weights of a float32 model to train from. The file is mapped, not read. What it holds
   * besides the model's parameters is left alone.
   *
   * @throws IOException if the file is missing or broken or quantized, or has not every parameter
   *     of the model as float32 in its shape
   */
  public static List<NamedTensor> weights(Path folder, ModelConfig model) throws IOException {
    Path path = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(path)) {
      throw new InputException(
          "There are no weights to start from: %s is missing.".formatted(path));
    }
    Checksums.verify(folder);
    SafetensorsFile file = SafetensorsFile.open(path);
    if (file.names().stream().anyMatch(name -> name.endsWith(BlockQuantization.values("")))) {
      throw new InputException(
          "The weights in %s are quantized, and cannot be trained: give the float32 model instead."
              .formatted(path));
    }
    List<NamedTensor> weights = new ArrayList<>();
    for (Parameter parameter : new Parameters(model).all()) {
      long[] shape = parameter.shape().extents();
      NamedTensor found =
          file.tensor(parameter.name())
              .orElseThrow(
                  () ->
                      new InputException(
                          "%s has no tensor %s, which the model of %s needs."
                              .formatted(path, parameter.name(), folder.resolve(CONFIG))));
      if (found.type() != ElementType.FLOAT32 || !Arrays.equals(found.shape(), shape)) {
        throw new InputException(
            "%s has the tensor %s where %s asks for float32%s."
                .formatted(path, found, folder.resolve(CONFIG), Arrays.toString(shape)));
      }
      weights.add(found);
    }
    return weights;
  }

  private static void copy(Path from, Path to) throws IOException {
    if (!from.toAbsolutePath().normalize().equals(to.toAbsolutePath().normalize())) {
      AtomicFile.replace(to, InputFile.bytes(from));
    }
  }
}

package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputFile;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Precision;
import io.minimind.weights.BlockQuantization;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongUnaryOperator;

/** A model of this project in its folder, for other programs to be written for. */
final class StoredModel {

  private final Path folder;
  private final ModelConfig config;
  private final int bits;
  private final SafetensorsFile weights;

  /**
   * Opens a folder.
   *
   * @throws IOException if it holds no model
   */
  StoredModel(Path folder) throws IOException {
    this.folder = folder;
    config = ModelConfig.read(folder.resolve(ModelFolder.CONFIG));
    JsonNode quantization =
        Json.read(folder.resolve(ModelFolder.CONFIG)).path("quantization_config");
    bits = quantization.path("bits").asInt(32);
    weights = SafetensorsFile.open(folder.resolve(ModelFolder.WEIGHTS));
  }

  Path folder() {
    return folder;
  }

  SafetensorsFile weights() {
    return weights;
  }

  Precision precision() {
    return bits == 8 ? Precision.INT8 : bits == 4 ? Precision.INT4 : Precision.FLOAT32;
  }

  ModelConfig config() {
    return config;
  }

  /** 4 or 8 where matrices are quantized, else 32. */
  int bits() {
    return bits;
  }

  /**
   * A parameter with its values, dequantized where it is quantized.
   *
   * @param layout in which order the channels of a head are to be
   * @throws IOException if the folder lacks it
   */
  StreamedTensor values(Parameter parameter, RotaryLayout layout) throws IOException {
    Optional<Blocks> blocks = blocks(parameter, layout);
    if (blocks.isPresent()) {
      return blocks.get().values();
    }
    StreamedTensor stored = StreamedTensor.of(tensor(parameter.name()));
    return stored.reordered(order(parameter, layout));
  }

  /** The blocks of a parameter that is quantized. */
  Optional<Blocks> blocks(Parameter parameter, RotaryLayout layout) throws IOException {
    if (weights.tensor(BlockQuantization.values(parameter.name())).isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Blocks(
            parameter,
            tensor(BlockQuantization.values(parameter.name())),
            tensor(BlockQuantization.scales(parameter.name())),
            order(parameter, layout)));
  }

  private NamedTensor tensor(String name) throws IOException {
    return weights
        .tensor(name)
        .orElseThrow(
            () -> new IOException("%s holds no tensor %s.".formatted(weights.path(), name)));
  }

  /** Which row of a parameter stands where, if channels of heads are put into another order. */
  LongUnaryOperator order(Parameter parameter, RotaryLayout layout) {
    return HeadOrder.of(parameter, config.headSize(), config.rotary().layout(), layout);
  }

  /** The ids that begin and end a text; no fields where the folder does not say. */
  ObjectNode generation() throws IOException {
    Path file = folder.resolve(ModelFolder.GENERATION_CONFIG);
    return Files.exists(file) ? Json.read(file) : Json.MAPPER.createObjectNode();
  }

  /** Writes the tokenizer as it is, but of the class by which Python programs read it as it is. */
  void writeTokenizer(Path to) throws IOException {
    for (String name : List.of("tokenizer.json", "tokenizer.model", ModelFolder.CHAT_TEMPLATE)) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        AtomicFile.replace(to.resolve(name), InputFile.bytes(file));
      }
    }
    Path file = folder.resolve(ModelFolder.TOKENIZER_CONFIG);
    ObjectNode tokenizer = Files.exists(file) ? Json.read(file) : Json.MAPPER.createObjectNode();
    if (Files.exists(folder.resolve("tokenizer.json"))) {
      tokenizer.put("tokenizer_class", "PreTrainedTokenizerFast");
    }
    Json.write(to.resolve(ModelFolder.TOKENIZER_CONFIG), tokenizer);
  }

  /** A quantized matrix. */
  final class Blocks {
    private final Parameter parameter;
    private final ByteBuffer bytes;
    private final FloatBuffer scales;
    private final int blocks;
    private final int width;
    private final LongUnaryOperator order;

    private Blocks(
        Parameter parameter, NamedTensor values, NamedTensor scales, LongUnaryOperator order) {
      this.parameter = parameter;
      this.bytes = values.data();
      this.scales = scales.floats();
      this.blocks = (int) values.shape()[1];
      this.width = (int) parameter.shape().dimension(1).extent();
      this.order = order;
    }

    long rows() {
      return parameter.shape().dimension(0).extent();
    }

    /** Blocks of a row. */
    int count() {
      return blocks;
    }

    /** Whether the last block of a row is full. */
    boolean isWhole() {
      return width % BlockQuantization.BLOCK == 0;
    }

    float scale(long row, int block) {
      return scales.get((int) (order.applyAsLong(row) * blocks + block));
    }

    /** A weight divided by the scale of its block: from -8 to 7 or from -128 to 127. */
    int value(long row, int column) {
      long at = order.applyAsLong(row) * blocks * BlockQuantization.BLOCK + column;
      if (bits == 8) {
        return (bytes.get((int) at) & 0xFF) - 128;
      }
      return (bytes.get((int) (at / 2)) >> (at % 2 * 4) & 15) - 8;
    }

    StreamedTensor values() {
      return new StreamedTensor(
          parameter.name(),
          Arrays.stream(parameter.shape().extents()).boxed().toList(),
          "int" + bits,
          (first, into, offset, count) -> {
            for (int i = 0; i < count; i++) {
              long row = (first + i) / width;
              int column = (int) ((first + i) % width);
              into[offset + i] = value(row, column) * scale(row, column / BlockQuantization.BLOCK);
            }
          });
    }
  }
}

package io.minimind.artifact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.ElementType;
import io.minimind.graph.ModelRunner;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.model.Weights;
import io.minimind.weights.Blocks;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class QuantizedDecoderTest {

  private static final int VOCABULARY = 50;
  private static final int CAPACITY = 16;

  @TempDir Path folder;

  /** Widths that are whole blocks and that are not, heads with padding and without. */
  static Stream<Arguments> models() {
    List<ModelConfig> configs = new ArrayList<>();
    for (int headSize : new int[] {16, 12, 8, 10}) {
      configs.add(ModelConfig.of(4 * headSize, 2, 4, 2, VOCABULARY, CAPACITY));
    }
    // Rounding may not decide which experts are chosen: here all are.
    configs.add(configs.get(0).with(Experts.of(3, 3, 1, 0)));
    return Stream.of(Precision.INT8, Precision.INT4)
        .flatMap(precision -> configs.stream().map(config -> Arguments.of(precision, config)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void computesWithTheWeightsThatTheFileStandsFor(Precision precision, ModelConfig config)
      throws IOException {
    List<NamedTensor> weights = Weights.of(config);
    Path quantized = folder.resolve("quantized");
    Path rounded = folder.resolve("rounded");
    Path original = folder.resolve("original");
    write(quantized, config, precision, weights);
    write(
        rounded,
        config,
        Precision.FLOAT32,
        Blocks.dequantize(weights, precision.store(config, weights), precision.bits()));
    write(original, config, Precision.FLOAT32, weights);
    double[][] found = logits(quantized, config);
    double[][] expected = logits(rounded, config);
    // Activations have 8 bits on the way, so a product is off by 1/127 of its terms at most.
    assertTrue(distance(found, expected) < 0.03, "distance " + distance(found, expected));
    double moved = distance(logits(original, config), expected);
    assertTrue(moved > 0, "weights were rounded");
  }

  private void write(
      Path target, ModelConfig config, Precision precision, List<NamedTensor> weights)
      throws IOException {
    Files.createDirectories(target);
    ModelFolder.writeDecoder(target, config, precision, weights);
  }

  /** The logits of a prompt of seven tokens, and then of five single steps. */
  private static double[][] logits(Path model, ModelConfig config) {
    Random random = new Random(5);
    long[] ids = random.longs(12, 0, VOCABULARY).toArray();
    List<double[]> logits = new ArrayList<>();
    try (ModelRunner decoder = ModelRunner.load(model.resolve(ModelFolder.DECODER))) {
      List<NamedTensor> past = emptyPast(config);
      for (int start = 0, end = 7; end <= ids.length; start = end, end++) {
        List<NamedTensor> inputs = new ArrayList<>(past);
        long[] next = Arrays.copyOfRange(ids, start, end);
        inputs.add(ModelRunner.longs("input_ids", next, 1, next.length));
        inputs.add(ModelRunner.integers("seqlens_k", new int[] {end - 1}, 1));
        inputs.add(ModelRunner.integers("total_sequence_length", new int[] {end}));
        long[] all = LongStream.range(0, next.length).toArray();
        inputs.add(ModelRunner.longs("logit_positions", all, all.length));
        Map<String, NamedTensor> outputs = decoder.run(inputs);
        logits.add(ModelRunner.doubles(outputs.get("logits")));
        past = ModelRunner.pastOf(outputs);
      }
    }
    return logits.toArray(double[][]::new);
  }

  private static List<NamedTensor> emptyPast(ModelConfig config) {
    List<NamedTensor> past = new ArrayList<>();
    long[] shape = {1, config.keyValueHeads(), CAPACITY, config.cachedHeadSize()};
    float[] zeros = new float[config.keyValueHeads() * CAPACITY * config.cachedHeadSize()];
    for (int layer = 0; layer < config.layers(); layer++) {
      past.add(NamedTensor.ofFloats("past_key_values." + layer + ".key", zeros, shape));
      past.add(NamedTensor.ofFloats("past_key_values." + layer + ".value", zeros, shape));
    }
    return past;
  }

  /** The root mean square of the differences over that of the values. */
  private static double distance(double[][] a, double[][] b) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      assertEquals(b[i].length, a[i].length);
      for (int j = 0; j < a[i].length; j++) {
        difference += (a[i][j] - b[i][j]) * (a[i][j] - b[i][j]);
        size += b[i][j] * b[i][j];
      }
    }
    return Math.sqrt(difference / size);
  }

  @Test
  void fewerBitsAreFurtherFromTheOriginal() throws IOException {
    ModelConfig config = ModelConfig.of(64, 2, 4, 2, VOCABULARY, CAPACITY);
    List<double[][]> logits = new ArrayList<>();
    for (Precision precision : Precision.values()) {
      Path target = folder.resolve(precision.toString());
      write(target, config, precision, Weights.of(config));
      logits.add(logits(target, config));
    }
    double eight = distance(logits.get(1), logits.get(0));
    double four = distance(logits.get(2), logits.get(0));
    assertTrue(eight > 0 && eight < 0.05, "8 bits are off by " + eight);
    assertTrue(four > 2 * eight && four < 0.5, "4 bits are off by " + four);
  }

  @Test
  void eachWeightLiesInTheFileOnce() throws IOException {
    ModelConfig config = ModelConfig.of(64, 1, 4, 2, VOCABULARY, CAPACITY);
    List<NamedTensor> weights = Weights.of(config);
    write(folder, config, Precision.INT4, weights);
    SafetensorsFile file = SafetensorsFile.open(folder.resolve(ModelFolder.WEIGHTS));
    long matrices = weights.stream().filter(weight -> weight.shape().length == 2).count();
    assertEquals(weights.size() + matrices, file.names().size());
    long bytes = file.tensors().stream().mapToLong(tensor -> tensor.data().remaining()).sum();
    long norms = 3 * 64;
    assertEquals((config.parameterCount() - norms) * 5 / 8 + norms * 4, bytes);
  }

  @Test
  void quantizedWeightsAreNotQuantizedAgain() throws IOException {
    ModelConfig config = ModelConfig.of(64, 1, 4, 2, VOCABULARY, CAPACITY);
    write(folder, config, Precision.INT8, Weights.of(config));
    String message =
        assertThrows(IOException.class, () -> ModelFolder.weights(folder)).getMessage();
    assertEquals(
        "The weights in "
            + folder.resolve("model.safetensors")
            + " are quantized already: give the float32 model instead.",
        message);
    write(folder, config, Precision.FLOAT32, Weights.of(config));
    assertEquals(Weights.of(config), ModelFolder.weights(folder));
    assertTrue(ModelFolder.weights(folder).stream().allMatch(w -> w.type() == ElementType.FLOAT32));
  }
}

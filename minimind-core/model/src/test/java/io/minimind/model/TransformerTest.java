package io.minimind.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads of 16 fit the attention operator; others are padded. One model is a mixture of experts. */
@ParameterizedClass
@MethodSource("configs")
class TransformerTest {

  static List<ModelConfig> configs() {
    List<ModelConfig> configs = new ArrayList<>();
    for (int headSize : new int[] {16, 12, 8}) {
      configs.add(ModelConfig.of(4 * headSize, 2, 4, 2, 40, 12));
    }
    configs.add(configs.get(0).with(Experts.of(4)));
    return configs;
  }

  @Parameter private ModelConfig config;

  private static List<NamedTensor> weights;

  /** The view that training has: whole sequences, no past. */
  private static ModelRunner training;

  private static ModelRunner decoder;

  @BeforeParameterizedClassInvocation
  static void open(ModelConfig config, @TempDir Path folder) throws IOException {
    weights = Weights.of(config);
    Operators op = new Operators(new Graph("logits"));
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    Tensor ids = op.graph().input("input_ids", ElementType.INT64, rows);
    op.graph().output("logits", new Transformer(op, config).logits(ids));
    training = ModelRunner.of(op.graph().toModel());
    ModelFolder.writeDecoder(folder, config, weights);
    decoder = ModelRunner.load(folder.resolve(ModelFolder.DECODER));
  }

  @AfterParameterizedClassInvocation
  static void close() {
    training.close();
    decoder.close();
  }

  @Test
  void aBatchGivesEachRowWhatItGetsAlone() {
    for (int[] extents : new int[][] {{1, 1}, {3, 1}, {2, 5}, {4, 12}}) {
      long[][] rows = rows(extents[0], extents[1]);
      double[][] together = logits(rows);
      for (int row = 0; row < rows.length; row++) {
        double[][] alone = logits(new long[][] {rows[row]});
        for (int i = 0; i < alone.length; i++) {
          assertArrayEquals(alone[i], together[row * alone.length + i], 1e-5);
        }
      }
    }
  }

  @Test
  void laterTokensAndPaddingNeverChangeEarlierLogits() {
    long[] row = rows(1, 7)[0];
    double[][] expected = logits(new long[][] {row});
    long[] padded = Arrays.copyOf(row, 12);
    long[] continued = padded.clone();
    Arrays.fill(continued, 7, 12, 17);
    double[][] both = logits(new long[][] {padded, continued});
    for (int i = 0; i < row.length; i++) {
      assertArrayEquals(expected[i], both[i], 1e-5);
      assertArrayEquals(expected[i], both[12 + i], 1e-5);
    }
    assertTrue(distance(both[11], both[23]) > 1e-2, "later tokens change later logits");
  }

  @Test
  void orderAndEarlierTokensMatter() {
    double[][] logits = logits(new long[][] {{3, 4, 5}, {4, 3, 5}, {3, 9, 5}});
    assertTrue(distance(logits[2], logits[5]) > 1e-2, "positions are rotated");
    assertTrue(distance(logits[2], logits[8]) > 1e-2, "earlier tokens are attended to");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 8})
  void theDecoderContinuesWithTheLogitsOfTheWholeSequence(int prompt) {
    int length = 8;
    long[][] rows = rows(2, length);
    double[][] expected = logits(rows);
    List<NamedTensor> past = emptyPast(2, 10);
    for (int start = 0, end = prompt; start < length; start = end, end++) {
      long[] everywhere = LongStream.range(0, 2L * (end - start)).toArray();
      Map<String, NamedTensor> outputs = decode(rows, start, end, past, everywhere);
      double[] logits = ModelRunner.doubles(outputs.get("logits"));
      int vocabulary = config.vocabularySize();
      for (int row = 0; row < 2; row++) {
        for (int i = start; i < end; i++) {
          int from = (row * (end - start) + i - start) * vocabulary;
          assertArrayEquals(
              expected[row * length + i],
              Arrays.copyOfRange(logits, from, from + vocabulary),
              1e-4,
              "row " + row + ", position " + i);
        }
      }
      past = ModelRunner.pastOf(outputs);
    }
  }

  @Test
  void theDecoderGivesTheLogitsOfThePositionsAskedFor() {
    long[][] rows = rows(2, 6);
    double[][] expected = logits(rows);
    for (long[] positions : new long[][] {{}, {5, 11}, {7, 0, 7}}) {
      NamedTensor found = decode(rows, 0, 6, emptyPast(2, 10), positions).get("logits");
      int vocabulary = config.vocabularySize();
      assertArrayEquals(new long[] {positions.length, vocabulary}, found.shape());
      double[] logits = ModelRunner.doubles(found);
      for (int i = 0; i < positions.length; i++) {
        assertArrayEquals(
            expected[(int) positions[i]],
            Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary),
            1e-4,
            "position " + positions[i]);
      }
    }
  }

  @Test
  void parametersHaveTheNamesOfTheOriginal() {
    List<String> names = weights.stream().map(NamedTensor::name).toList();
    List<String> inner = List.of("w1", "w2", "w3");
    List<String> feedForward = new ArrayList<>();
    if (config.experts().isMixture()) {
      feedForward.add("gate");
      for (String expert :
          List.of("experts.0", "experts.1", "experts.2", "experts.3", "shared_experts")) {
        inner.forEach(name -> feedForward.add(expert + "." + name));
      }
    } else {
      feedForward.addAll(inner);
    }
    assertEquals(2 + (6 + feedForward.size()) * config.layers(), names.size());
    assertTrue(names.containsAll(List.of("tok_embeddings.weight", "norm.weight")));
    for (String part :
        List.of(
            "attention_norm",
            "attention.wq",
            "attention.wk",
            "attention.wv",
            "attention.wo",
            "ffn_norm")) {
      assertTrue(names.contains("layers.1." + part + ".weight"), part);
    }
    for (String part : feedForward) {
      assertTrue(names.contains("layers.1.feed_forward." + part + ".weight"), part);
    }
  }

  private long[][] rows(int batch, int length) {
    Random random = new Random(batch * 100L + length);
    long[][] rows = new long[batch][length];
    for (long[] row : rows) {
      Arrays.setAll(row, i -> random.nextInt(config.vocabularySize()));
    }
    return rows;
  }

  private static NamedTensor ids(long[][] rows) {
    long[] ids = Arrays.stream(rows).flatMapToLong(Arrays::stream).toArray();
    return ModelRunner.longs("input_ids", ids, rows.length, rows[0].length);
  }

  /** The logits of each token. */
  private double[][] logits(long[][] rows) {
    List<NamedTensor> inputs = new ArrayList<>(weights);
    inputs.add(ids(rows));
    double[] logits = ModelRunner.doubles(training.run(inputs).get("logits"));
    int vocabulary = config.vocabularySize();
    double[][] tokens = new double[logits.length / vocabulary][];
    Arrays.setAll(tokens, i -> Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary));
    return tokens;
  }

  private static double distance(double[] a, double[] b) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(a[i] - b[i]));
    }
    return largest;
  }

  private List<NamedTensor> emptyPast(int batch, int capacity) {
    List<NamedTensor> past = new ArrayList<>();
    long[] shape = {batch, config.keyValueHeads(), capacity, 16};
    int size = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
    for (int layer = 0; layer < config.layers(); layer++) {
      for (String kind : List.of("key", "value")) {
        String name = "past_key_values." + layer + "." + kind;
        past.add(NamedTensor.ofFloats(name, new float[size], shape));
      }
    }
    return past;
  }

  private static Map<String, NamedTensor> decode(
      long[][] rows, int start, int end, List<NamedTensor> past, long[] positions) {
    long[][] next =
        Arrays.stream(rows).map(row -> Arrays.copyOfRange(row, start, end)).toArray(long[][]::new);
    int[] last = new int[rows.length];
    Arrays.fill(last, end - 1);
    List<NamedTensor> inputs = new ArrayList<>(past);
    inputs.add(ids(next));
    inputs.add(ModelRunner.integers("seqlens_k", last, last.length));
    inputs.add(ModelRunner.integers("total_sequence_length", new int[] {end}));
    inputs.add(ModelRunner.longs("logit_positions", positions, positions.length));
    return decoder.run(inputs);
  }
}

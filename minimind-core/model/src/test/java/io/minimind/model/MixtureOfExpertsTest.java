package io.minimind.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.Experts.Balance;
import io.minimind.model.Experts.Balance.Scope;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Held against loops over tokens and experts, in float64. */
class MixtureOfExpertsTest {

  private static final int WIDTH = 8;
  private static final String PREFIX = "layers.0.feed_forward.";

  private static ModelConfig config(Experts experts) {
    return ModelConfig.of(WIDTH, 1, 2, 1, 10, 64).with(experts);
  }

  /** One layer over {@code x} [batch, length, width]. */
  private static final class Layer implements AutoCloseable {

    private final Experts experts;
    private final Map<String, NamedTensor> weights = new HashMap<>();
    private final ModelRunner runner;

    Layer(Experts experts, long seed) {
      this.experts = experts;
      ModelConfig config = config(experts);
      Operators op = new Operators(new Graph("mixture"));
      Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
      Dimension width = Dimension.of(WIDTH);
      Tensor x =
          op.graph()
              .input(
                  "x", ElementType.FLOAT32, Shape.of(rows.dimension(0), rows.dimension(1), width));
      Matrices matrices = FloatMatrices.trained(op, ElementType.FLOAT32);
      MixtureOfExperts mixture =
          new MixtureOfExperts(op, new Parameters(config), matrices, new FeedForward(op, matrices));
      Tensor flat = op.reshape(x, Shape.of(rows.elements(), width));
      op.graph().output("y", mixture.apply(0, flat));
      op.graph().output("balance", mixture.balanceLoss(rows));
      Random random = new Random(seed);
      for (Tensor parameter : op.graph().parameters()) {
        long[] extents = parameter.shape().extents();
        float[] values = new float[(int) (extents[0] * extents[1])];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) random.nextGaussian() / 2;
        }
        weights.put(parameter.name(), NamedTensor.ofFloats(parameter.name(), values, extents));
      }
      runner = ModelRunner.of(op.graph().toModel());
    }

    Map<String, NamedTensor> run(float[] x, int batch, int length) {
      List<NamedTensor> inputs = new ArrayList<>(weights.values());
      inputs.add(NamedTensor.ofFloats("x", x, batch, length, WIDTH));
      return runner.run(inputs);
    }

    private double[] product(String name, double[] x) {
      NamedTensor weight = weights.get(PREFIX + name);
      double[] y = new double[(int) weight.shape()[0]];
      for (int i = 0; i < y.length; i++) {
        for (int j = 0; j < x.length; j++) {
          y[i] += weight.floats().get(i * x.length + j) * x[j];
        }
      }
      return y;
    }

    private double[] feedForward(String prefix, double[] x) {
      double[] gate = product(prefix + "w1.weight", x);
      double[] up = product(prefix + "w3.weight", x);
      double[] gated = new double[gate.length];
      Arrays.setAll(gated, i -> gate[i] / (1 + Math.exp(-gate[i])) * up[i]);
      return product(prefix + "w2.weight", gated);
    }

    private double[] scores(double[] x) {
      double[] exponentials = Arrays.stream(product("gate.weight", x)).map(Math::exp).toArray();
      double sum = Arrays.stream(exponentials).sum();
      return Arrays.stream(exponentials).map(value -> value / sum).toArray();
    }

    private List<Integer> chosen(double[] scores) {
      return IntStream.range(0, scores.length)
          .boxed()
          .sorted(Comparator.comparingDouble(expert -> -scores[expert]))
          .limit(experts.perToken())
          .toList();
    }

    double[] expected(double[] x) {
      double[] scores = scores(x);
      List<Integer> chosen = chosen(scores);
      double sum = chosen.stream().mapToDouble(expert -> scores[expert]).sum();
      double[] y = experts.shared() == 0 ? new double[WIDTH] : feedForward("shared_experts.", x);
      for (int expert : chosen) {
        double weight = experts.renormalised() ? scores[expert] / sum : scores[expert];
        double[] output = feedForward("experts." + expert + ".", x);
        for (int i = 0; i < WIDTH; i++) {
          y[i] += weight * output[i];
        }
      }
      return y;
    }

    double expectedBalance(List<double[]> tokens, int batch, int length) {
      return experts.balance().scope() == Scope.ROW
          ? balance(tokens, batch, length, experts.perToken())
          : balance(tokens, 1, batch * length, 1);
    }

    /** As the specifications of the originals have it; what one divides by differs. */
    private double balance(List<double[]> tokens, int batch, int length, int choices) {
      double loss = 0;
      for (int row = 0; row < batch; row++) {
        double[] counts = new double[experts.routed()];
        double[] means = new double[experts.routed()];
        for (double[] token : tokens.subList(row * length, (row + 1) * length)) {
          double[] scores = scores(token);
          chosen(scores).forEach(expert -> counts[expert]++);
          for (int expert = 0; expert < means.length; expert++) {
            means[expert] += scores[expert] / length;
          }
        }
        for (int expert = 0; expert < means.length; expert++) {
          double share = counts[expert] * experts.routed() / (length * choices);
          loss += share * means[expert] / batch;
        }
      }
      return experts.balance().weight() * loss;
    }

    @Override
    public void close() {
      runner.close();
    }
  }

  /** With one token, most experts have none. */
  @ParameterizedTest
  @CsvSource({
    "4, 2, 1, true, ROW, 1, 1",
    "4, 2, 1, true, ROW, 3, 7",
    "4, 2, 0, true, ROW, 2, 16",
    "3, 1, 1, false, ROW, 1, 2",
    "5, 5, 0, true, ROW, 2, 3",
    "1, 1, 1, false, ROW, 2, 4",
    "16, 3, 0, true, ROW, 1, 5",
    "4, 1, 0, true, BATCH, 3, 5",
    "4, 2, 0, true, BATCH, 2, 6",
    "5, 3, 0, false, BATCH, 2, 4",
    "3, 2, 1, false, ROW, 2, 4"
  })
  void everyTokenGetsWhatItsExpertsMakeOfIt(
      int routed,
      int perToken,
      int shared,
      boolean renormalised,
      Scope scope,
      int batch,
      int length) {
    Experts experts = new Experts(routed, perToken, shared, renormalised, new Balance(0.3, scope));
    for (long seed = 1; seed <= 3; seed++) {
      try (Layer layer = new Layer(experts, seed)) {
        Random random = new Random(100 + seed);
        float[] x = new float[batch * length * WIDTH];
        for (int i = 0; i < x.length; i++) {
          x[i] = (float) random.nextGaussian();
        }
        Map<String, NamedTensor> outputs = layer.run(x, batch, length);
        double[] y = ModelRunner.doubles(outputs.get("y"));
        List<double[]> tokens = new ArrayList<>();
        for (int token = 0; token < batch * length; token++) {
          int from = token * WIDTH;
          tokens.add(IntStream.range(from, from + WIDTH).mapToDouble(i -> x[i]).toArray());
          assertArrayEquals(
              layer.expected(tokens.get(token)),
              Arrays.copyOfRange(y, from, from + WIDTH),
              1e-5,
              "token " + token);
        }
        assertEquals(
            layer.expectedBalance(tokens, batch, length),
            ModelRunner.doubles(outputs.get("balance"))[0],
            1e-6);
      }
    }
  }

  @Test
  void gatesAreNotQuantized() {
    NamedTensor gate = NamedTensor.ofFloats(PREFIX + "gate.weight", new float[4 * 32], 4, 32);
    assertEquals(List.of(gate), Precision.INT4.store(config(Experts.of(4)), List.of(gate)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-1 | 0 | 0 | 0 | n_routed_experts must be at least 0, but is -1.",
        "4 | 0 | 0 | 0 | num_experts_per_tok must be at least 1 and at most n_routed_experts, 4,"
            + " but is 0.",
        "4 | 5 | 0 | 0 | num_experts_per_tok must be at least 1 and at most n_routed_experts, 4,"
            + " but is 5.",
        "0 | 2 | 0 | 0 | num_experts_per_tok must be at least 0 and at most n_routed_experts, 0,"
            + " but is 2.",
        "4 | 2 | 2 | 0 | n_shared_experts must be 0 or, beside experts to choose from, 1, but is"
            + " 2.",
        "0 | 0 | 1 | 0 | n_shared_experts must be 0 or, beside experts to choose from, 1, but is"
            + " 1.",
        "4 | 2 | 1 | -0.1 | aux_loss_alpha must be at least 0, but is -0.1.",
        "4 | 2 | 1 | NaN | aux_loss_alpha must be at least 0, but is NaN."
      })
  void mixturesThatCannotBe(int routed, int perToken, int shared, double balance, String message) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> Experts.of(routed, perToken, shared, balance));
    assertEquals(message, e.getMessage());
  }

  @Test
  void parametersOfVeryManyExpertsAreCounted() {
    Experts most = Experts.of(Integer.MAX_VALUE);
    // Each has three matrices of its own, and a row of the gate.
    long expert = 3L * WIDTH * config(most).feedForwardSize() + WIDTH;
    long difference = config(most).parameterCount() - config(Experts.of(2)).parameterCount();
    assertEquals(expert * (Integer.MAX_VALUE - 2), difference);
  }
}

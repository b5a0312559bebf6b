package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.FLOAT64;
import static io.minimind.graph.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention.Heads;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Attention.Rotation;
import io.minimind.weights.NamedTensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@link Gradients} does beyond the single rule. */
class GradientsTest {

  private final Operators op = new Operators(new Graph("test"));
  private final Graph graph = op.graph();

  @Test
  void productsAddUpInTheThirdInputOfGemm() {
    Graph checked =
        FiniteDifferences.check(
            FLOAT64,
            s -> {
              Tensor weight = s.parameter("weight", 3, 2);
              Tensor first = s.op.product(s.constant("x", 4, 3), false, weight, false);
              Tensor second = s.op.product(weight, true, s.constant("y", 3, 2), false);
              Tensor third = s.op.product(s.constant("z", 2, 2), true, weight, true);
              Tensor both = s.op.product(first, false, second, false);
              return s.op.product(both, false, third, false);
            });
    assertEquals(
        2,
        checked.nodes().stream()
            .filter(node -> node.operator() instanceof Gemm && node.inputs().size() == 3)
            .count());
  }

  @Test
  void aGradientThatGoesTwoWaysIsNotAddedToInPlace() {
    // b gets the product's gradient alone, a gets it in addition to its own.
    FiniteDifferences.check(
        FLOAT64,
        s -> {
          Tensor a = s.parameter("a", 2, 3);
          Tensor sum = s.op.add(a, s.parameter("b", 2, 3));
          Tensor product = s.op.product(sum, false, s.constant("c", 3, 3), false);
          return s.op.add(product, s.op.multiply(a, a));
        });
  }

  @Test
  void gradientsOfResidualBlocksAddUp() {
    FiniteDifferences.check(
        FLOAT32,
        s -> {
          Tensor x =
              s.op.gather(
                  s.parameter("table", 4, 3), s.integers("ids", Shape.of(5), 1, 3, 1, 0, 2));
          for (String layer : List.of("1", "2")) {
            Tensor normed = s.op.rmsNorm(x, s.parameter("norm" + layer, 3), 1e-5f);
            Tensor gate = s.op.linear(normed, s.parameter("gate" + layer, 3, 3));
            Tensor up = s.op.linear(normed, s.constant("up" + layer, 3, 3));
            x = s.op.add(x, s.op.multiply(s.op.silu(gate), up));
          }
          return s.op.softmax(x);
        });
  }

  @Test
  void theSeedMultipliesAllGradients() {
    Tensor x = graph.parameter("x", 2);
    Tensor loss = op.sum(op.multiply(x, x));
    graph.output("gradient", Gradients.of(op, loss, seed(0.25f)).get(x));
    assertEquals(List.of(1.5, -2.0), run("gradient", floats("x", 3, -4)));
  }

  @Test
  void noGradientFlowsThroughWhatStopsIt() {
    Tensor x = graph.parameter("x", 2);
    Tensor loss = op.sum(op.multiply(op.stopGradient(op.exponential(x)), x));
    graph.output("gradient", Gradients.of(op, loss, seed(1)).get(x));
    List<Double> found = run("gradient", floats("x", 0, 1));
    assertEquals(1, found.get(0), 1e-6);
    assertEquals(Math.E, found.get(1), 1e-6);
  }

  @Test
  void ofTwoThatAreEqualEachGetsHalfTheGradient() {
    Tensor a = graph.parameter("a", 3);
    Tensor b = graph.parameter("b", 3);
    Tensor loss = op.sum(op.add(op.minimum(a, b), op.multiply(op.maximum(a, b), seed(10))));
    Gradients.of(op, loss, seed(1))
        .forEach((parameter, gradient) -> graph.output("d_" + parameter.name(), gradient));
    NamedTensor[] inputs = {floats("a", 1, 2, 3), floats("b", 3, 2, 1)};
    assertEquals(List.of(1.0, 5.5, 10.0), run("d_a", inputs));
    assertEquals(List.of(10.0, 5.5, 1.0), run("d_b", inputs));
  }

  @Test
  void parametersWithTheSameGradientTensorCanBothBeOutputs() {
    Tensor loss = op.sum(op.add(graph.parameter("a", 2), graph.parameter("b", 2)));
    Gradients.of(op, loss, seed(1))
        .forEach((parameter, gradient) -> graph.output("d_" + parameter.name(), gradient));
    NamedTensor[] inputs = {floats("a", 1, 2), floats("b", 1, 2)};
    assertEquals(List.of(1.0, 1.0), run("d_a", inputs));
    assertEquals(List.of(1.0, 1.0), run("d_b", inputs));
  }

  @Test
  void aParameterThatTheLossDoesNotUseIsNamed() {
    Tensor used = graph.parameter("used", 2);
    graph.parameter("idle.weight", 3, 4);
    refused(op.sum(used), "loss", "does not depend on the parameter idle.weight float32[3, 4]");
  }

  @Test
  void anOperatorWithoutARuleIsNamed() {
    Tensor norm = op.norm(List.of(graph.parameter("x", 2)));
    refused(norm, "The operator ReduceAllL2 has no gradient rule.");
  }

  @Test
  void onlyAScalarHasGradients() {
    Tensor x = graph.parameter("x", 2);
    refused(x, "loss", "scalar", "x float32[2]");
  }

  @Test
  void theSeedHasTheTypeOfTheLoss() {
    Tensor loss = op.cast(op.sum(graph.parameter("x", 2)), FLOAT64);
    refused(loss, "seed", "float64", "seed#", " float32[]");
  }

  @Test
  void aLossOnPresentKeysIsRefused() {
    Attention attention = attention(Past.NONE);
    refused(op.sum(op.add(attention.presentKey(), attention.presentValue())), "present");
  }

  @Test
  void attentionOverAPastIsRefused() {
    Shape cache = Shape.of(2, 1, 3, 16);
    Past past =
        new Past(
            graph.input("past_key", FLOAT32, cache), graph.input("past_value", FLOAT32, cache));
    refused(op.sum(attention(past).output()), "Attention over a past");
  }

  private Attention attention(Past past) {
    return op.attention(
        new Heads(
            graph.parameter("query", 2, 3, 32),
            graph.parameter("key", 2, 3, 16),
            graph.parameter("value", 2, 3, 16),
            2,
            1),
        past,
        new Positions(
            graph.input("last", INT32, Shape.of(2)), graph.input("total", INT32, Shape.SCALAR)),
        new Rotation(
            RotaryLayout.NEIGHBOURS,
            graph.constant("cosine", Shape.of(1, 8), new float[8]),
            graph.constant("sine", Shape.of(1, 8), new float[8])));
  }

  private List<Double> run(String output, NamedTensor... inputs) {
    try (ModelRunner runner = ModelRunner.of(graph.toModel())) {
      double[] values = ModelRunner.doubles(runner.run(List.of(inputs)).get(output));
      return Arrays.stream(values).boxed().toList();
    }
  }

  private static NamedTensor floats(String name, float... values) {
    return NamedTensor.ofFloats(name, values, values.length);
  }

  private Tensor seed(float value) {
    return graph.constant("seed", Shape.SCALAR, value);
  }

  private void refused(Tensor loss, String... parts) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Gradients.of(op, loss, seed(1)))
            .getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }
}

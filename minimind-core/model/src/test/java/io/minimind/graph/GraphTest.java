package io.minimind.graph;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GraphTest {

  private final Operators op = new Operators(new Graph("test"));
  private final Graph graph = op.graph();

  /** The elements of one output. */
  static List<Double> run(Graph graph, String output, NamedTensor... inputs) {
    try (ModelRunner runner = ModelRunner.of(graph.toModel())) {
      double[] values = ModelRunner.doubles(runner.run(List.of(inputs)).get(output));
      return Arrays.stream(values).boxed().toList();
    }
  }

  /** A vector. */
  static NamedTensor floats(String name, float... values) {
    return NamedTensor.ofFloats(name, values, values.length);
  }

  @Test
  void anInputAParameterAndAConstantCanBeOutputs() {
    graph.output("a", graph.input("input", FLOAT32, Shape.of(2)));
    graph.output("b", graph.parameter("parameter", 2));
    graph.output("c", graph.constant("constant", Shape.of(2), 5f, 6f));
    NamedTensor[] inputs = {floats("input", 1, 2), floats("parameter", 3, 4)};
    assertEquals(List.of(1.0, 2.0), run(graph, "a", inputs));
    assertEquals(List.of(3.0, 4.0), run(graph, "b", inputs));
    assertEquals(List.of(5.0, 6.0), run(graph, "c", inputs));
  }

  @Test
  void aTensorCanBeSeveralOutputsAndStillBeUsed() {
    Tensor doubled = op.add(graph.input("x", FLOAT32, Shape.of(2)), graph.parameter("y", 2));
    graph.output("first", doubled);
    graph.output("second", doubled);
    graph.output("third", op.negate(doubled));
    NamedTensor[] inputs = {floats("x", 1, 2), floats("y", 2, 3)};
    assertEquals(List.of(3.0, 5.0), run(graph, "first", inputs));
    assertEquals(List.of(3.0, 5.0), run(graph, "second", inputs));
    assertEquals(List.of(-3.0, -5.0), run(graph, "third", inputs));
  }

  @Test
  void namesAreUnique() {
    graph.input("x", FLOAT32, Shape.of(2));
    graph.parameter("w", 2);
    graph.output("y", op.negate(graph.parameter("w", 2)));
    for (String taken : List.of("x", "w", "y")) {
      refused(() -> graph.input(taken, INT64, Shape.SCALAR), "named " + taken);
      refused(() -> graph.output(taken, op.negate(graph.parameter("w", 2))), "named " + taken);
    }
    refused(() -> graph.parameter("x", 2), "named x");
  }

  /** Whatever constants and nodes are called: those of a loss, of a model, of operators. */
  @Test
  void constantsAndNodesCollideWithNothing() {
    Tensor first = graph.constant("one", Shape.of(1), 1f);
    Tensor second = graph.constant("one", Shape.of(1), 2f);
    Tensor x = graph.input("Add", FLOAT32, Shape.of(1));
    Tensor y = graph.input("one", FLOAT32, Shape.of(1));
    graph.output("integers", op.add(op.add(op.add(first, second), x), y));
    assertEquals(List.of(33.0), run(graph, "integers", floats("Add", 10), floats("one", 20)));
    refused(() -> graph.input("Add#0", FLOAT32, Shape.of(1)), "#", "Add#0");
    refused(() -> graph.output("Add#0", x), "#", "Add#0");
  }

  @Test
  void aParameterIsDeclaredOnce() {
    Tensor w = graph.parameter("w", 2, 3);
    assertEquals(w, graph.parameter("w", 2, 3));
    assertEquals(List.of(w), graph.parameters());
    refused(() -> graph.parameter("w", 3, 2), "w float32[2, 3]", "w float32[3, 2]");
  }

  @Test
  void aConstantHasAsManyValuesAsItsShape() {
    refused(() -> graph.constant("c", Shape.of(2, 2), 1f, 2f, 3f), "c", "[2, 2]");
  }

  @Test
  void everyParameterNeedsAWeight() {
    graph.output("y", op.negate(graph.parameter("layers.0.w", 2)));
    refused(() -> graph.toModel(Map.of("other", new Graph.ExternalData("f", 0, 8))), "layers.0.w");
  }

  @Test
  void aSymbolThatNoInputHasIsNamed() {
    graph.input("x", FLOAT32, Shape.of(Dimension.symbol("batch")));
    refused(() -> op.extent(Dimension.symbol("length")), "length");
  }

  private static void refused(Executable action, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, action).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }
}

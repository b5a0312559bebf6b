package user;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.FLOAT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Node;
import io.minimind.graph.Operands;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.FiniteDifferences;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What a program outside this project writes for an operator of its own. */
class OwnOperatorTest {

  /** The hyperbolic tangent, with which logits can be capped. */
  private record Tanh() implements Operator {

    private static final Specification SPECIFICATION = Specification.onnx("Tanh", 13, 1);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      Operands.expectFloating(this, inputs.get(0));
      return List.of(Result.like(inputs.get(0)));
    }

    /** {@code dy · (1 - y²)}. */
    @Override
    public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
      Operators op = new Operators(graph);
      Tensor dy = outputGradients.get(0);
      Tensor y = node.output(0);
      return List.of(() -> op.subtract(dy, op.multiply(dy, op.multiply(y, y))));
    }
  }

  /** One with an attribute, of any operator set. */
  private record Elsewhere(String domain, int since, Map<String, Object> attributes)
      implements Operator {

    @Override
    public Specification specification() {
      return new Specification(
          "Elsewhere", domain, since, 1, 2, Map.of("level", Attribute.INTEGER));
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(Result.like(inputs.get(0)));
    }
  }

  private final Operators op = new Operators(new Graph("own"));

  private Tensor floats(String name) {
    return op.graph().input(name, FLOAT32, Shape.of(2));
  }

  @Test
  void itsGradientIsTheFiniteDifference() {
    FiniteDifferences.check(
        FLOAT64,
        s -> {
          Tensor x = s.parameter("x", 2, 3);
          return s.op.apply(new Tanh(), s.op.multiply(x, x));
        });
  }

  @Test
  void itIsComputed() {
    op.graph().output("y", op.apply(new Tanh(), floats("x")));
    try (ModelRunner runner = ModelRunner.of(op.graph().toModel())) {
      NamedTensor x = NamedTensor.ofFloats("x", new float[] {0, 1}, 2);
      double[] y = ModelRunner.doubles(runner.run(List.of(x)).get("y"));
      assertEquals(0, y[0]);
      assertEquals(Math.tanh(1), y[1], 1e-6);
    }
  }

  @Test
  void itsDomainIsImported() {
    Elsewhere operator = new Elsewhere("my.domain", 3, Map.of("level", 2L));
    op.graph().output("y", op.apply(operator, floats("x")));
    assertEquals(
        3,
        op.graph().toModel().getOpsetImportList().stream()
            .filter(opset -> opset.getDomain().equals("my.domain"))
            .mapToLong(opset -> opset.getVersion())
            .sum());
  }

  @Test
  void whatItsSpecificationDoesNotAllowIsRefused() {
    Elsewhere plain = new Elsewhere("my.domain", 1, Map.of());
    Tensor x = floats("x");
    refused("Elsewhere expects 1 to 2 operands, got [].", plain);
    refused("Elsewhere expects 1 to 2 operands, got " + List.of(x, x, x) + ".", plain, x, x, x);
    refused(
        "Elsewhere has no attribute level = high; it has {level=INTEGER}.",
        new Elsewhere("my.domain", 1, Map.of("level", "high")),
        x);
    refused(
        "Elsewhere has no attribute width = 1; it has {level=INTEGER}.",
        new Elsewhere("my.domain", 1, Map.of("width", 1L)),
        x);
    refused(
        "Elsewhere is there since version 99 of its domain, but graphs here have version 17.",
        new Elsewhere("", 99, Map.of()),
        x);
  }

  private void refused(String message, Operator operator, Tensor... inputs) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> op.apply(operator, inputs))
            .getMessage());
  }
}

package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectSingleOrHalf;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** {@code x · sigmoid(x)}, which is ONNX Runtime's QuickGelu with alpha 1. */
record Silu() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("QuickGelu", 1).with("alpha", Attribute.REAL);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("alpha", 1f);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    expectSingleOrHalf(this, inputs.get(0));
    return List.of(Result.like(inputs.get(0)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return List.of(
        () -> graph.add(new Gradient(), outputGradients.get(0), node.input(0)).output(0));
  }

  /** The gradient from that of the output and the input. */
  private record Gradient() implements Operator {

    private static final Specification SPECIFICATION =
        Specification.microsoft("QuickGeluGrad", 2).with("alpha", Attribute.REAL);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("alpha", 1f);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      expectShape(this, inputs.get(0), inputs.get(1).shape());
      return List.of(Result.like(inputs.get(1)));
    }
  }
}

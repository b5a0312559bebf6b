package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectFloating;
import static io.minimind.graph.Operands.expectShape;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Softmax over the last axis. */
record Softmax() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Softmax", 13, 1).with("axis", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axis", -1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    expectFloating(this, inputs.get(0));
    return List.of(Result.like(inputs.get(0)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return List.of(
        () -> graph.add(new Gradient(), outputGradients.get(0), node.output(0)).output(0));
  }

  /** The gradient from that of the output and the output. */
  private record Gradient() implements Operator {

    private static final Specification SPECIFICATION =
        Specification.microsoft("SoftmaxGrad_13", 2).with("axis", Attribute.INTEGER);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("axis", -1L);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      expectShape(this, inputs.get(0), inputs.get(1).shape());
      return List.of(Result.like(inputs.get(1)));
    }
  }
}

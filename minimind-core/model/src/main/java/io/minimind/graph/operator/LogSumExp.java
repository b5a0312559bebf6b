package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectFloating;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The logarithm of the sum of exponentials over the last axis, which stays with extent 1. */
record LogSumExp() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("ReduceLogSumExp", 13, 1)
          .with("axes", Attribute.INTEGERS)
          .with("keepdims", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axes", List.of(-1L), "keepdims", 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    expectFloating(this, x);
    return List.of(new Result(x.type(), x.shape().with(-1, Dimension.of(1))));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    return List.of(() -> op.multiply(outputGradients.get(0), op.softmax(node.input(0))));
  }
}

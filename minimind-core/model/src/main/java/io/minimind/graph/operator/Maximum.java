package io.minimind.graph.operator;

import static io.minimind.graph.operator.Broadcasting.arithmetic;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** The larger of {@code a} and {@code b}. */
record Maximum() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Max", 13, 2);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return arithmetic(this, inputs);
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return Extremum.ofLarger(graph, node, outputGradients.get(0));
  }
}

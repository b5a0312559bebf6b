package io.minimind.graph.operator;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** The same tensor, as a number that was given: no gradient flows through it. */
record StopGradient() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Identity", 16, 1);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return List.of(Result.like(inputs.get(0)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return List.of();
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

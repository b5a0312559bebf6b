package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectFloating;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** The natural logarithm. */
record Logarithm() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Log", 13, 1);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    expectFloating(this, inputs.get(0));
    return List.of(Result.like(inputs.get(0)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    return List.of(() -> op.divide(outputGradients.get(0), node.input(0)));
  }
}

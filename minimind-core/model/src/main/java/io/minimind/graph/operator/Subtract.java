package io.minimind.graph.operator;

import static io.minimind.graph.operator.Broadcasting.arithmetic;
import static io.minimind.graph.operator.Broadcasting.unbroadcast;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** {@code a - b}. */
record Subtract() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Sub", 14, 2);

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
    Operators op = new Operators(graph);
    Tensor dy = outputGradients.get(0);
    return List.of(
        () -> unbroadcast(op, dy, node.input(0)),
        () -> op.negate(unbroadcast(op, dy, node.input(1))));
  }
}

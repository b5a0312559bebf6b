package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expected;
import static io.minimind.graph.operator.Broadcasting.unbroadcast;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A tensor repeated along the axes in which the shape is larger; the second input gives it. */
record Expand(Shape shape) implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Expand", 13, 2);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    expectBroadcast(x);
    return List.of(new Result(x.type(), shape));
  }

  void expectBroadcast(Tensor x) {
    if (!x.shape().broadcast(shape).equals(Optional.of(shape))) {
      throw expected(this, "a shape that broadcasts to " + shape, x);
    }
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return List.of(() -> unbroadcast(new Operators(graph), outputGradients.get(0), node.input(0)));
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** The same elements in another shape, which the second input gives at run time. */
record Reshape(Shape shape) implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Reshape", 14, 2);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    expectElements(x);
    return List.of(new Result(x.type(), shape));
  }

  void expectElements(Tensor x) {
    if (!x.shape().elements().equals(shape.elements())) {
      throw expected(this, "as many elements as " + shape + " has", x);
    }
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Shape before = node.input(0).shape();
    return List.of(() -> new Operators(graph).reshape(outputGradients.get(0), before));
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

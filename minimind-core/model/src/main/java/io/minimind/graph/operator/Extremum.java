package io.minimind.graph.operator;

import static io.minimind.graph.operator.Broadcasting.unbroadcast;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** How gradients flow back through the smaller or the larger of two: to the one that was taken. */
final class Extremum {

  private Extremum() {}

  /** Of {@link Minimum}. */
  static List<Supplier<Tensor>> ofSmaller(Graph graph, Node node, Tensor gradient) {
    return of(graph, node, gradient, node.input(0), node.input(1));
  }

  /** Of {@link Maximum}. */
  static List<Supplier<Tensor>> ofLarger(Graph graph, Node node, Tensor gradient) {
    return of(graph, node, gradient, node.input(1), node.input(0));
  }

  /**
   * @param smaller is the first operand taken where this is less than the other; where they are
   *     equal, each gets half, as in PyTorch
   */
  private static List<Supplier<Tensor>> of(
      Graph graph, Node node, Tensor gradient, Tensor smaller, Tensor larger) {
    Operators op = new Operators(graph);
    return List.of(
        () -> unbroadcast(op, share(op, gradient, larger, smaller), node.input(0)),
        () -> unbroadcast(op, share(op, gradient, smaller, larger), node.input(1)));
  }

  /** {@code gradient · (1 + [a > b] - [b > a]) / 2}. */
  private static Tensor share(Operators op, Tensor gradient, Tensor a, Tensor b) {
    Tensor more = op.cast(op.greater(a, b), gradient.type());
    Tensor less = op.cast(op.greater(b, a), gradient.type());
    Tensor sign = op.subtract(more, less);
    Tensor half = op.cast(constant(op, "half", 0.5f), gradient.type());
    return op.multiply(gradient, op.add(op.multiply(sign, half), half));
  }

  private static Tensor constant(Operators op, String name, float value) {
    return op.graph()
        .shared(Extremum.class, name, () -> op.graph().constant(name, Shape.SCALAR, value));
  }
}

package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

import io.minimind.graph.ElementType;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/** Operators on two tensors of which extents of 1 and missing leading axes are repeated. */
final class Broadcasting {

  private Broadcasting() {}

  /** The shape rule of those that compute in the type of their operands. */
  static List<Operator.Result> arithmetic(Operator operator, List<Tensor> inputs) {
    return results(operator, inputs, inputs.get(0).type());
  }

  /** The shape rule of those that compare. */
  static List<Operator.Result> comparison(Operator operator, List<Tensor> inputs) {
    return results(operator, inputs, BOOL);
  }

  private static List<Operator.Result> results(
      Operator operator, List<Tensor> inputs, ElementType type) {
    Tensor a = inputs.get(0);
    Tensor b = inputs.get(1);
    expectType(operator, b, a.type());
    Shape shape =
        a.shape()
            .broadcast(b.shape())
            .orElseThrow(() -> expected(operator, "shapes that broadcast to each other", a, b));
    return List.of(new Operator.Result(type, shape));
  }

  /** Sums a gradient over the axes along which an operand was broadcast. */
  static Tensor unbroadcast(Operators op, Tensor gradient, Tensor operand) {
    Shape from = gradient.shape();
    Shape to = operand.shape();
    if (from.equals(to)) {
      return gradient;
    }
    if (to.rank() == 0) {
      return op.sum(gradient);
    }
    int added = from.rank() - to.rank();
    int[] axes =
        IntStream.range(0, from.rank())
            .filter(
                axis -> axis < added || !to.dimension(axis - added).equals(from.dimension(axis)))
            .toArray();
    return op.reshape(op.sum(gradient, axes), to);
  }
}

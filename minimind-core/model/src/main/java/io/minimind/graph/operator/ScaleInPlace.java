package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/**
 * Multiplies an accumulation buffer where it lies, by a kernel of this project, which leaves it
 * alone if the factor is 1. Inputs: the buffer, a scalar. Outputs: a flag, which the training API
 * wants, and where the buffer lies in memory, int64 [1], which does not change.
 */
public record ScaleInPlace() implements Operator {

  public static final Specification SPECIFICATION = Specification.own("ScaleInPlace", 2);

  /** The operator where the graph's target has the kernel, and else two of the runtime's. */
  static Operators.Scaled of(Operators op, Tensor buffer, Tensor factor) {
    if (op.graph().target().hasOwnKernels(buffer.type())) {
      Node node = op.graph().add(new ScaleInPlace(), buffer, factor);
      return new Operators.Scaled(node.output(0), node.output(1));
    }
    Tensor always =
        op.graph()
            .shared(
                ScaleInPlace.class,
                "always",
                () -> op.cast(op.graph().constant("true", Shape.of(1), 1L), BOOL));
    Tensor scaled = op.multiply(buffer, factor);
    return new Operators.Scaled(op.accumulateInPlace(buffer, scaled, always).done(), Tensor.ABSENT);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    inputs.forEach(tensor -> expectType(this, tensor, FLOAT32));
    expectShape(this, inputs.get(1), Shape.SCALAR);
    return List.of(new Result(BOOL, Shape.of(1)), new Result(INT64, Shape.of(1)));
  }
}

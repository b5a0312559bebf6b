package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/**
 * Multiplies an accumulation buffer where it lies, by a kernel of this project, which leaves it
 * alone if the factor is 1. Inputs: the buffer, a scalar. Output: a flag, which the training API
 * wants.
 */
public record ScaleInPlace() implements Operator {

  public static final Specification SPECIFICATION = Specification.own("ScaleInPlace", 2);

  /** The operator where the graph's target has the kernel, and else two of the runtime's. */
  static Tensor of(Operators op, Tensor buffer, Tensor factor) {
    if (op.graph().target().hasOwnKernels(buffer.type())) {
      return op.apply(new ScaleInPlace(), buffer, factor);
    }
    Tensor always =
        op.graph()
            .shared(
                ScaleInPlace.class,
                "always",
                () -> op.cast(op.graph().constant("true", Shape.of(1), 1L), BOOL));
    return op.accumulateInPlace(buffer, op.multiply(buffer, factor), always).done();
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    inputs.forEach(tensor -> expectType(this, tensor, FLOAT32));
    expectShape(this, inputs.get(1), Shape.SCALAR);
    return List.of(new Result(BOOL, Shape.of(1)));
  }
}

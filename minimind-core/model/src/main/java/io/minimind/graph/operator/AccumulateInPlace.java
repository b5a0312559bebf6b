package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/**
 * A gradient added to its buffer, or put in its place if the third input says so. Outputs: a flag,
 * which the training API wants, and the buffer afterwards.
 */
record AccumulateInPlace() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("InPlaceAccumulatorV2", 3);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor buffer = inputs.get(0);
    expectShape(this, inputs.get(1), buffer.shape());
    expectType(this, inputs.get(1), buffer.type());
    expectType(this, inputs.get(2), BOOL);
    return List.of(new Result(BOOL, Shape.of(1)), Result.like(buffer));
  }
}

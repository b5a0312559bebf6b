package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/** The Euclidean norm of all elements of several tensors together, a scalar. */
record Norm() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("ReduceAllL2", 1).upTo(Specification.ANY);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    inputs.forEach(input -> expectType(this, input, FLOAT32));
    return List.of(new Result(FLOAT32, Shape.SCALAR));
  }
}

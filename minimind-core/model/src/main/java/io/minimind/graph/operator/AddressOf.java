package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/**
 * Where numbers lie in memory, int64 [1], by a kernel of this project: of an accumulation buffer,
 * which stays where it is as long as its session.
 */
public record AddressOf() implements Operator {

  public static final Specification SPECIFICATION = Specification.own("AddressOf", 1);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    expectType(this, inputs.get(0), FLOAT32);
    return List.of(new Result(INT64, Shape.of(1)));
  }
}

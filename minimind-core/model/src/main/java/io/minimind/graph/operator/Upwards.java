package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/** The int64 numbers from a first one up to an end, which is not among them, in equal steps. */
record Upwards(Dimension count) implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Range", 11, 3);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    for (Tensor input : inputs) {
      expectType(this, input, INT64);
      expectShape(this, input, Shape.SCALAR);
    }
    return List.of(new Result(INT64, Shape.of(count)));
  }
}

package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/**
 * Says that a gradient is there, by a kernel of this project, while the backward pass goes on to
 * others. Input: the gradient as a step gives it. Output: a flag, which the training API wants.
 */
public record GradientReady() implements Operator {

  public static final Specification SPECIFICATION = Specification.own("GradientReady", 1);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    expectType(this, inputs.get(0), FLOAT32);
    return List.of(new Result(BOOL, Shape.of(1)));
  }
}

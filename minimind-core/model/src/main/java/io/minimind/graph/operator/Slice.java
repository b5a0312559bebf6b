package io.minimind.graph.operator;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/** The part of an axis, so long, between two positions that are known at run time. */
record Slice(int axis, Dimension extent) implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Slice", 13, 4);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    return List.of(new Result(x.type(), x.shape().with(axis, extent)));
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

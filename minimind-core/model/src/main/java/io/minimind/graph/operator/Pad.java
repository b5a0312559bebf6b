package io.minimind.graph.operator;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/** A tensor with zeros around it, so that one axis has another extent. */
record Pad(int axis, Dimension extent) implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Pad", 13, 2);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    return List.of(new Result(x.type(), x.shape().with(axis, extent)));
  }
}

package io.minimind.graph.operator;

import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/** Whether {@code a > b}. */
record Greater() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Greater", 13, 2);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return Broadcasting.comparison(this, inputs);
  }
}

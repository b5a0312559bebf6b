package io.minimind.graph.operator;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/** The mean over the last axis, which stays with extent 1. */
record Mean() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("ReduceMean", 13, 1)
          .with("axes", Attribute.INTEGERS)
          .with("keepdims", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axes", List.of(-1L), "keepdims", 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    return List.of(new Result(x.type(), x.shape().with(-1, Dimension.of(1))));
  }
}

package io.minimind.graph.operator;

import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/** A matrix with zeros below a diagonal, which the second input gives. */
record UpperTriangle() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Trilu", 14, 2).with("upper", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("upper", 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return List.of(Result.like(inputs.get(0)));
  }
}

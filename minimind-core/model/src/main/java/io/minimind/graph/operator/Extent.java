package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT64;

import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/** The extent of an axis at run time, int64 [1]. */
record Extent(int axis) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Shape", 15, 1)
          .with("start", Attribute.INTEGER)
          .with("end", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("start", (long) axis, "end", axis + 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return List.of(new Result(INT64, Shape.of(1)));
  }
}

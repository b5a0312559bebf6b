package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/** The largest or smallest elements of the last axis, sorted, and where they are. */
record TopElements(Dimension count, boolean largest) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("TopK", 11, 2)
          .with("axis", Attribute.INTEGER)
          .with("largest", Attribute.INTEGER)
          .with("sorted", Attribute.INTEGER);

  /** Where the largest elements are. */
  static Tensor largest(Operators op, Tensor x, int count) {
    return new TopElements(Dimension.of(count), true).indices(op, x);
  }

  /** Where the elements of a vector are that sort it. */
  static Tensor ascending(Operators op, Tensor x) {
    TopElements operator = new TopElements(x.shape().elements(), false);
    expectRank(operator, x, 1);
    return operator.indices(op, x);
  }

  private Tensor indices(Operators op, Tensor x) {
    return op.graph().add(this, x, op.shape(Shape.of(count))).output(1);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axis", -1L, "largest", largest ? 1L : 0L, "sorted", 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    Shape shape = x.shape().with(-1, count);
    return List.of(new Result(x.type(), shape), new Result(INT64, shape));
  }
}

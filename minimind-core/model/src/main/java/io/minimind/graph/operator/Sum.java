package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The sum over some axes, which stay with extent 1, or over all elements, a scalar.
 *
 * @param axes sorted; the second input gives them again. None for all elements.
 */
record Sum(List<Integer> axes) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("ReduceSum", 13, 1).upTo(2).with("keepdims", Attribute.INTEGER);

  /** The sum over axes, of which negative ones count from the end. */
  static Tensor of(Operators op, Tensor x, int... axes) {
    int rank = x.shape().rank();
    int[] sorted =
        Arrays.stream(axes).map(axis -> axis < 0 ? axis + rank : axis).sorted().toArray();
    Sum sum = new Sum(Arrays.stream(sorted).boxed().toList());
    if (sorted.length == 0 || sorted[0] < 0 || sorted[sorted.length - 1] >= rank) {
      throw expected(sum, "a tensor with the axes " + Arrays.toString(axes), x);
    }
    Tensor constant = op.integers(Arrays.stream(sorted).asLongStream().toArray());
    return op.graph().add(sum, x, constant).output(0);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("keepdims", axes.isEmpty() ? 0L : 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    Shape shape = axes.isEmpty() ? Shape.SCALAR : x.shape();
    for (int axis : axes) {
      shape = shape.with(axis, Dimension.of(1));
    }
    return List.of(new Result(x.type(), shape));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Shape before = node.input(0).shape();
    return List.of(() -> new Operators(graph).expand(outputGradients.get(0), before));
  }
}

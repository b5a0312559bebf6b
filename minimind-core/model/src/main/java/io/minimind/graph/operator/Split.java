package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Parts of an axis, one after the other; the second input gives their extents at run time. */
record Split(int axis, List<Dimension> extents) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Split", 13, 2).with("axis", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axis", (long) axis);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    Dimension whole = x.shape().dimension(axis);
    if (whole.isKnown() && extents.stream().allMatch(Dimension::isKnown)) {
      long sum = extents.stream().mapToLong(Dimension::extent).sum();
      if (sum != whole.extent()) {
        throw expected(this, "an axis " + axis + " for the parts " + extents, x);
      }
    }
    return extents.stream()
        .map(extent -> new Result(x.type(), x.shape().with(axis, extent)))
        .toList();
  }

  /** For a split whose parts are all used; there is nothing that would need the others' zeros. */
  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    if (!outputGradients.stream().allMatch(Tensor::isPresent)) {
      throw new IllegalArgumentException(
          "The loss depends on some parts of a Split only: its gradient needs all of them.");
    }
    Dimension whole = node.input(0).shape().dimension(axis);
    return List.of(() -> new Operators(graph).concatenate(outputGradients, axis, whole));
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

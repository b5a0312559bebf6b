package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectType;

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

/** Tensors one after the other along an axis, which is as long as all of them. */
record Concatenate(int axis, Dimension extent) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Concat", 13, 1).upTo(Specification.ANY).with("axis", Attribute.INTEGER);

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
    Tensor first = inputs.get(0);
    inputs.forEach(input -> expectType(this, input, first.type()));
    return List.of(new Result(first.type(), first.shape().with(axis, extent)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    List<Dimension> extents =
        node.inputs().stream().map(input -> input.shape().dimension(axis)).toList();
    List<Tensor> parts = new Operators(graph).split(outputGradients.get(0), axis, extents);
    return parts.stream().<Supplier<Tensor>>map(part -> () -> part).toList();
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

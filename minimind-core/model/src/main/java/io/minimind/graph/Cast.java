package io.minimind.graph;

import io.minimind.graph.Specification.Attribute;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The same values in another type. */
public record Cast(ElementType type) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Cast", 13, 1).with("to", Attribute.INTEGER);

  /** A tensor is cast to a type once per graph, and not at all if it has the type. */
  public static Tensor of(Graph graph, Tensor x, ElementType type) {
    return x.type() == type
        ? x
        : graph.shared(Cast.class, List.of(x, type), () -> graph.add(new Cast(type), x).output(0));
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("to", (long) type.onnxCode());
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return List.of(new Result(type, inputs.get(0).shape()));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return List.of(() -> of(graph, outputGradients.get(0), node.input(0).type()));
  }
}

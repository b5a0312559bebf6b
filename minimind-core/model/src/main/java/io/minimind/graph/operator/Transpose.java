package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** The axes in another order. */
record Transpose(List<Integer> permutation) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("Transpose", 13, 1).with("perm", Attribute.INTEGERS);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("perm", permutation.stream().map(Integer::longValue).toList());
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    List<Integer> axes = IntStream.range(0, x.shape().rank()).boxed().toList();
    if (!permutation.stream().sorted().toList().equals(axes)) {
      throw expected(this, "axes of which " + permutation + " is a permutation", x);
    }
    int[] order = permutation.stream().mapToInt(Integer::intValue).toArray();
    return List.of(new Result(x.type(), x.shape().permuted(order)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    int[] inverse = new int[permutation.size()];
    IntStream.range(0, inverse.length).forEach(axis -> inverse[permutation.get(axis)] = axis);
    return List.of(() -> new Operators(graph).transpose(outputGradients.get(0), inverse));
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}

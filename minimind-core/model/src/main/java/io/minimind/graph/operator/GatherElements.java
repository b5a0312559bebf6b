package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Of each row of a matrix the elements at the row's own indices, int64 [rows, chosen]. */
record GatherElements() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("GatherElements", 13, 2).with("axis", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axis", 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor matrix = inputs.get(0);
    Tensor indices = inputs.get(1);
    expectRank(this, matrix, 2);
    expectRank(this, indices, 2);
    expectType(this, indices, INT64);
    Dimension rows = matrix.shape().dimension(0);
    expectShape(this, indices, Shape.of(rows, indices.shape().dimension(1)));
    return List.of(new Result(matrix.type(), indices.shape()));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    Shape matrix = node.input(0).shape();
    return List.of(
        () ->
            graph
                .add(new Gradient(matrix), outputGradients.get(0), op.shape(matrix), node.input(1))
                .output(0));
  }

  /** The gradients added up at their indices in a matrix of zeros. */
  private record Gradient(Shape matrix) implements Operator {

    private static final Specification SPECIFICATION =
        Specification.microsoft("GatherElementsGrad", 3).with("axis", Attribute.INTEGER);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("axis", 1L);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(new Result(inputs.get(0).type(), matrix));
    }
  }
}

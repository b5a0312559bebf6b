package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Rows of a table [entries, width], by int64 indices of any shape. */
record Gather() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Gather", 13, 2);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor table = inputs.get(0);
    Tensor indices = inputs.get(1);
    expectRank(this, table, 2);
    expectType(this, indices, INT64);
    List<Dimension> shape = new ArrayList<>(indices.shape().dimensions());
    shape.add(table.shape().dimension(1));
    return List.of(new Result(table.type(), new Shape(shape)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    Shape table = node.input(0).shape();
    return List.of(
        () -> {
          Dimension rows = node.input(1).shape().elements();
          Tensor column = op.reshape(node.input(1), Shape.of(rows, Dimension.of(1)));
          Tensor flat = op.reshape(outputGradients.get(0), Shape.of(rows, table.dimension(1)));
          return graph.add(new Gradient(table), op.shape(table), column, flat).output(0);
        });
  }

  /**
   * Rows added up in a table of zeros. This operator adds on one thread; {@code GatherGrad} locks
   * for each element, and {@code ScatterND} loses updates.
   */
  private record Gradient(Shape table) implements Operator {

    private static final Specification SPECIFICATION = Specification.microsoft("GatherNDGrad", 3);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(new Result(inputs.get(2).type(), table));
    }
  }
}

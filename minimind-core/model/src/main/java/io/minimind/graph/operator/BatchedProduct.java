package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectSingleOrHalf;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

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

/**
 * Products of the matrices in the last two axes, for each index of the leading axes: {@code scale ·
 * a · b}, each matrix transposed first if asked.
 */
record BatchedProduct(boolean transposeA, boolean transposeB, float scale) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("FusedMatMul", 2)
          .with("transA", Attribute.INTEGER)
          .with("transB", Attribute.INTEGER)
          .with("alpha", Attribute.REAL);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("transA", transposeA ? 1L : 0L, "transB", transposeB ? 1L : 0L, "alpha", scale);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor a = inputs.get(0);
    Tensor b = inputs.get(1);
    Shape left = a.shape();
    Shape right = b.shape();
    int rank = left.rank();
    if (rank < 3
        || right.rank() != rank
        || !left.dimensions().subList(0, rank - 2).equals(right.dimensions().subList(0, rank - 2))
        || !left.dimension(transposeA ? -2 : -1).equals(right.dimension(transposeB ? -1 : -2))) {
      throw expected(this, "equal leading and equal inner dimensions", a, b);
    }
    expectSingleOrHalf(this, a);
    expectType(this, b, a.type());
    Shape shape =
        left.with(-2, left.dimension(transposeA ? -1 : -2))
            .with(-1, right.dimension(transposeB ? -2 : -1));
    return List.of(new Result(a.type(), shape));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    Tensor dy = outputGradients.get(0);
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    return List.of(
        () ->
            transposeA
                ? op.batchedProduct(b, transposeB, dy, true, scale)
                : op.batchedProduct(dy, false, b, !transposeB, scale),
        () ->
            transposeB
                ? op.batchedProduct(dy, true, a, transposeA, scale)
                : op.batchedProduct(a, !transposeA, dy, false, scale));
  }
}

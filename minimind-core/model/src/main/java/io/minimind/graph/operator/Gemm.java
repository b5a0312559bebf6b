package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The product of two matrices, each transposed first if asked; plus a third, if there is one.
 *
 * @param unrounded whether a kernel of this project leaves factors of bf16, which it is given as
 *     float32, as they are; on targets without such kernels it makes no difference
 */
record Gemm(boolean transposeA, boolean transposeB, boolean unrounded) implements Operator {

  Gemm(boolean transposeA, boolean transposeB) {
    this(transposeA, transposeB, false);
  }

  private static final Specification SPECIFICATION =
      Specification.onnx("Gemm", 13, 2)
          .upTo(3)
          .with("transA", Attribute.INTEGER)
          .with("transB", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("transA", transposeA ? 1L : 0L, "transB", transposeB ? 1L : 0L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor a = inputs.get(0);
    Tensor b = inputs.get(1);
    expectRank(this, a, 2);
    expectRank(this, b, 2);
    expectType(this, b, a.type());
    Dimension inner = a.shape().dimension(transposeA ? 0 : 1);
    if (!inner.equals(b.shape().dimension(transposeB ? 1 : 0))) {
      throw expected(this, "equal inner dimensions", a, b);
    }
    Shape shape =
        Shape.of(a.shape().dimension(transposeA ? 1 : 0), b.shape().dimension(transposeB ? 0 : 1));
    return List.of(new Result(a.type(), shape));
  }

  /** Products of vectors are as fast in the runtime. */
  @Override
  public Optional<Operator> own(Node node) {
    Tensor y = node.output(0);
    if (y.shape().dimensions().contains(Dimension.of(1))) {
      return Optional.empty();
    }
    return Optional.of(
        y.type() == ElementType.BFLOAT16 && !unrounded
            ? new Bfloat16Gemm(transposeA, transposeB)
            : new OwnGemm(transposeA, transposeB));
  }

  /** Of the two factors. */
  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    Tensor dy = outputGradients.get(0);
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    return List.of(
        () ->
            transposeA
                ? op.product(b, transposeB, dy, true)
                : op.product(dy, false, b, !transposeB),
        () ->
            transposeB
                ? op.product(dy, true, a, transposeA)
                : op.product(a, !transposeA, dy, false));
  }
}

package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectSingleOrHalf;

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

/**
 * Rotates pairs of channels by an angle that grows with the position. Inputs: x [batch, heads,
 * length, head size] or [batch, length, heads · head size]; the first position [1], or all of them
 * [batch, length]; cosines and sines [positions, head size / 2].
 */
record RotaryEmbedding(RotaryLayout layout) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("RotaryEmbedding", 4).with("interleaved", Attribute.INTEGER);

  /**
   * @param positions int64 [batch, length]; absent where they are 0, 1, 2 and so on
   */
  static Tensor of(Operators op, Tensor x, Tensor positions, Attention.Rotation rotation) {
    RotaryEmbedding operator = new RotaryEmbedding(rotation.layout());
    expectRank(operator, x, 4);
    rotation.expectAngles(operator, x.shape().dimension(3));
    return add(op, operator, x, orUpwards(op, positions), rotation);
  }

  /**
   * The same before heads are separated.
   *
   * @param x [batch, length, heads · head size]
   */
  static Tensor ofRows(
      Operators op, Tensor x, int heads, Tensor positions, Attention.Rotation rotation) {
    RotaryEmbedding operator = new RotaryEmbedding(rotation.layout());
    expectRank(operator, x, 3);
    rotation.expectAngles(operator, Dimension.of(x.shape().dimension(2).extent() / heads));
    return add(op, operator, x, orUpwards(op, positions), rotation);
  }

  private static Tensor orUpwards(Operators op, Tensor positions) {
    return positions.isPresent() ? positions : op.integers(0);
  }

  private static Tensor add(
      Operators op,
      RotaryEmbedding operator,
      Tensor x,
      Tensor positions,
      Attention.Rotation rotation) {
    expectSingleOrHalf(operator, x);
    return op.graph()
        .add(
            operator,
            x,
            positions,
            op.cast(rotation.cosine(), x.type()),
            op.cast(rotation.sine(), x.type()))
        .output(0);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("interleaved", layout == RotaryLayout.NEIGHBOURS ? 1L : 0L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return List.of(Result.like(inputs.get(0)));
  }

  /** The rotation back. */
  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    return List.of(
        () -> {
          Tensor back = negatedOnce(op, node.input(3));
          return add(
              op,
              this,
              outputGradients.get(0),
              node.input(1),
              new Attention.Rotation(layout, node.input(2), back));
        });
  }

  /** {@code -x}, computed once per graph; in float32, as CUDA cannot negate bfloat16. */
  static Tensor negatedOnce(Operators op, Tensor x) {
    return op.graph()
        .shared(RotaryEmbedding.class, x, () -> op.cast(op.negate(op.cast(x, FLOAT32)), x.type()));
  }
}

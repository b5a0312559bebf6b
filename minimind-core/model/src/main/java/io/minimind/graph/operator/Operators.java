package io.minimind.graph.operator;

import io.minimind.graph.Cast;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Adds operators to a graph. Every method throws {@link IllegalArgumentException} naming the
 * operator, what it expects and what it got, if operands do not fit. What an operator is and how
 * gradients flow back through it is written in the class of the operator.
 */
public record Operators(Graph graph) {

  /** An operator with one output, here or of one's own. */
  public Tensor apply(Operator operator, Tensor... inputs) {
    return graph.add(operator, inputs).output(0);
  }

  // Elementwise arithmetic

  /** {@code a + b}; extents of 1 and missing leading axes of either are repeated to the other's. */
  public Tensor add(Tensor a, Tensor b) {
    return apply(new Add(), a, b);
  }

  /** {@code a - b}, broadcast as in {@link #add}. */
  public Tensor subtract(Tensor a, Tensor b) {
    return apply(new Subtract(), a, b);
  }

  /** {@code a · b}, broadcast as in {@link #add}. */
  public Tensor multiply(Tensor a, Tensor b) {
    return apply(new Multiply(), a, b);
  }

  /** {@code a / b}, broadcast as in {@link #add}. */
  public Tensor divide(Tensor a, Tensor b) {
    return apply(new Divide(), a, b);
  }

  /** The smaller of {@code a} and {@code b}, broadcast as in {@link #add}. */
  public Tensor minimum(Tensor a, Tensor b) {
    return apply(new Minimum(), a, b);
  }

  /** The larger of {@code a} and {@code b}, broadcast as in {@link #add}. */
  public Tensor maximum(Tensor a, Tensor b) {
    return apply(new Maximum(), a, b);
  }

  /** {@code x} where it lies in {@code [low, high]}, and else the nearer of the two. */
  public Tensor clip(Tensor x, float low, float high) {
    Tensor least = cast(graph.constant("low", Shape.SCALAR, low), x.type());
    Tensor most = cast(graph.constant("high", Shape.SCALAR, high), x.type());
    return minimum(maximum(x, least), most);
  }

  /** {@code eˣ}. */
  public Tensor exponential(Tensor x) {
    return apply(new Exponential(), x);
  }

  /** The natural logarithm. */
  public Tensor logarithm(Tensor x) {
    return apply(new Logarithm(), x);
  }

  /** The same numbers, through which no gradient flows. */
  public Tensor stopGradient(Tensor x) {
    return apply(new StopGradient(), x);
  }

  /** Whether {@code a > b}, bool, broadcast as in {@link #add}. No gradient flows through it. */
  public Tensor greater(Tensor a, Tensor b) {
    return apply(new Greater(), a, b);
  }

  /** Whether {@code a = b}, bool, broadcast as in {@link #add}. No gradient flows through it. */
  public Tensor equal(Tensor a, Tensor b) {
    return apply(new Equal(), a, b);
  }

  public Tensor negate(Tensor x) {
    return apply(new Negate(), x);
  }

  /** {@code x · sigmoid(x)}, also called swish. */
  public Tensor silu(Tensor x) {
    return apply(new Silu(), x);
  }

  // Products

  /**
   * A linear layer without bias, {@code x · weightᵀ}.
   *
   * @param x [rows, in]
   * @param weight [out, in]
   * @return [rows, out]
   */
  public Tensor linear(Tensor x, Tensor weight) {
    return product(x, false, weight, true);
  }

  /**
   * The same of factors that a kernel of this project does not round, where they are of bf16 and it
   * has them as float32. Their gradients are rounded as always.
   */
  public Tensor unroundedLinear(Tensor x, Tensor weight) {
    return apply(new Gemm(false, true, true), x, weight);
  }

  /** The product of two matrices, each transposed first if asked. */
  public Tensor product(Tensor a, boolean transposeA, Tensor b, boolean transposeB) {
    return apply(new Gemm(transposeA, transposeB), a, b);
  }

  /**
   * Products of the matrices in the last two axes, for each index of the leading axes, which must
   * be equal: {@code scale · a · b}, each matrix transposed first if asked.
   */
  public Tensor batchedProduct(
      Tensor a, boolean transposeA, Tensor b, boolean transposeB, float scale) {
    return apply(new BatchedProduct(transposeA, transposeB, scale), a, b);
  }

  /**
   * A linear layer without bias whose weight is quantized in blocks of inputs, with activations
   * rounded to 8 bits on the way.
   *
   * @param x [rows, in]
   * @param values uint8 [out, blocks of a row, bytes of a block]; the last block may be filled up
   * @param scales [out, blocks of a row]
   * @param bits 4 or 8
   * @return [rows, out]
   */
  public Tensor quantizedLinear(Tensor x, Tensor values, Tensor scales, int bits) {
    return QuantizedLinear.of(graph, x, values, scales, bits);
  }

  // Shapes

  /** The same elements in another shape, of which symbols are resolved at run time. */
  public Tensor reshape(Tensor x, Shape shape) {
    Reshape reshape = new Reshape(shape);
    reshape.expectElements(x);
    return x.shape().equals(shape) ? x : apply(reshape, x, extents().shape(shape, true));
  }

  public Tensor transpose(Tensor x, int... permutation) {
    return apply(new Transpose(Arrays.stream(permutation).boxed().toList()), x);
  }

  /** Parts of the last axis, one after the other, which together are the whole of it. */
  public List<Tensor> split(Tensor x, long... extents) {
    return split(x, -1, Arrays.stream(extents).mapToObj(Dimension::of).toList());
  }

  /** Parts of an axis, one after the other, which together are the whole of it. */
  public List<Tensor> split(Tensor x, int axis, List<Dimension> extents) {
    Tensor sizes = shape(new Shape(extents));
    return graph.add(new Split(axis, extents), x, sizes).outputs();
  }

  /**
   * Tensors one after the other along an axis.
   *
   * @param extent of the axis afterwards
   */
  public Tensor concatenate(List<Tensor> tensors, int axis, Dimension extent) {
    return apply(new Concatenate(axis, extent), tensors.toArray(Tensor[]::new));
  }

  /** {@code x} repeated along the axes in which the shape is larger. */
  public Tensor expand(Tensor x, Shape shape) {
    Expand expand = new Expand(shape);
    expand.expectBroadcast(x);
    return x.shape().equals(shape) ? x : apply(expand, x, shape(shape));
  }

  /** The same values in another type; a tensor is cast to a type once per graph. */
  public Tensor cast(Tensor x, ElementType type) {
    return Cast.of(graph, x, type);
  }

  /** A shape at run time, an int64 vector. */
  public Tensor shape(Shape shape) {
    return extents().shape(shape, false);
  }

  /** The value of a dimension at run time, int64 [1]. */
  public Tensor extent(Dimension dimension) {
    return extents().extent(dimension);
  }

  /**
   * A dimension whose value is computed.
   *
   * @param name that no other symbol has
   * @param extent int64 [1]
   */
  public Dimension dimension(String name, Tensor extent) {
    return extents().dimension(name, extent);
  }

  /** An int64 vector of constants. */
  public Tensor integers(long... values) {
    return extents().integers(values);
  }

  private Extents extents() {
    return new Extents(this);
  }

  // Reductions

  /** The sum over all elements, a scalar. */
  public Tensor sum(Tensor x) {
    return apply(new Sum(List.of()), x);
  }

  /** The sum over some axes, which stay with extent 1; negative axes count from the end. */
  public Tensor sum(Tensor x, int... axes) {
    return Sum.of(this, x, axes);
  }

  /** The Euclidean norm of all elements of several tensors together, a scalar. */
  public Tensor norm(List<Tensor> tensors) {
    return apply(new Norm(), tensors.toArray(Tensor[]::new));
  }

  /**
   * Where the largest elements of the last axis are, the largest first. No gradient flows through
   * it.
   *
   * @param count at most the extent of the axis
   * @return int64, the last axis having that extent
   */
  public Tensor largest(Tensor x, int count) {
    return TopElements.largest(this, x, count);
  }

  /**
   * Where the elements of a vector are that sort it from the smallest to the largest. For a
   * permutation that is the one which undoes it.
   *
   * @return int64, as long as the vector
   */
  public Tensor ascending(Tensor x) {
    return TopElements.ascending(this, x);
  }

  /**
   * Of each row of a matrix the elements at its own places.
   *
   * @param x [rows, width]
   * @param indices int64 [rows, chosen], in {@code [0, width)}
   * @return [rows, chosen]
   */
  public Tensor pick(Tensor x, Tensor indices) {
    return apply(new GatherElements(), x, indices);
  }

  /** Softmax over the last axis. */
  public Tensor softmax(Tensor x) {
    return apply(new Softmax(), x);
  }

  /** The logarithm of the sum of exponentials over the last axis, which stays with extent 1. */
  public Tensor logSumExp(Tensor x) {
    return apply(new LogSumExp(), x);
  }

  // Layers

  /**
   * Rows of a table.
   *
   * @param table [entries, width]
   * @param indices int64 of any shape
   * @return the shape of the indices, then width
   */
  public Tensor gather(Tensor table, Tensor indices) {
    return apply(new Gather(), table, indices);
  }

  /**
   * Rows of a table that is quantized as in {@link #quantizedLinear}.
   *
   * @param indices int64 of any shape
   * @return the shape of the indices, then the width rounded up to whole blocks
   */
  public Tensor quantizedGather(Tensor values, Tensor scales, Tensor indices, int bits) {
    return QuantizedRows.of(this, values, scales, indices, bits);
  }

  /**
   * Root mean square normalisation over the last axis, {@code x / sqrt(mean(x²) + epsilon) ·
   * weight} (Zhang and Sennrich 2019, "Root Mean Square Layer Normalization").
   *
   * @param weight [width]
   */
  public Tensor rmsNorm(Tensor x, Tensor weight, float epsilon) {
    return apply(new RmsNorm(epsilon), x, weight);
  }

  /**
   * Rotates pairs of channels by an angle that grows with the position (Su et al. 2021,
   * "RoFormer").
   *
   * @param x [batch, heads, length, head size]
   * @param rotation with its sine negated, the rotation goes back
   */
  public Tensor rotary(Tensor x, Attention.Rotation rotation) {
    return RotaryEmbedding.of(this, x, Tensor.ABSENT, rotation);
  }

  /** Attention in one operator, or where the graph's target has none, in several. */
  public Attention attention(
      Attention.Heads heads,
      Attention.Past past,
      Attention.Positions positions,
      Attention.Rotation rotation) {
    return GroupQueryAttention.of(this, heads, past, positions, rotation);
  }

  /**
   * Cross entropy of each row.
   *
   * @param logits [rows, classes]
   * @param labels int64 [rows]
   * @param ignored rows with this label have loss 0
   * @return [rows]
   */
  public Tensor crossEntropy(Tensor logits, Tensor labels, long ignored) {
    return CrossEntropy.of(this, logits, labels, ignored);
  }

  // What ONNX Runtime's training API wants

  /**
   * A gradient added to its accumulation buffer in place, or put in its place.
   *
   * @param done bool [1], which the training API wants as an output
   * @param sum the buffer after the addition
   */
  public record Accumulation(Tensor done, Tensor sum) {}

  /**
   * @param overwrite bool [1], whether to put the gradient in the place of the buffer's contents
   */
  public Accumulation accumulateInPlace(Tensor buffer, Tensor gradient, Tensor overwrite) {
    Node node = graph.add(new AccumulateInPlace(), buffer, gradient, overwrite);
    return new Accumulation(node.output(0), node.output(1));
  }

  /**
   * Says that a sum is there, where the graph's target has a kernel that does.
   *
   * @return bool [1], which the training API wants as an output
   */
  public Tensor announce(Accumulation accumulation) {
    return graph.target().hasOwnKernels(accumulation.sum().type())
        ? apply(new GradientReady(), accumulation.sum())
        : accumulation.done();
  }

  /**
   * A buffer that was multiplied.
   *
   * @param done bool [1], which the training API wants as an output
   * @param address where the buffer lies, int64 [1], if the target has kernels of this project
   */
  public record Scaled(Tensor done, Tensor address) {}

  /** Multiplies what {@link #accumulateInPlace} gave as a sum with a scalar, where it lies. */
  public Scaled scaleInPlace(Tensor sum, Tensor factor) {
    return ScaleInPlace.of(this, sum, factor);
  }
}

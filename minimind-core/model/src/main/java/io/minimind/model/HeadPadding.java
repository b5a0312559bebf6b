package io.minimind.model;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.RotaryLayout;
import java.util.Optional;

/**
 * Fits heads of any even size to the attention operator, which takes {@link
 * ModelConfig#cachedHeadSize()}. Zeros behind each head, or each half of it, change no product of a
 * query and a key and no other element of the output. Where heads fit as they are, nothing is added
 * to the graph.
 *
 * <p>Zeros are appended and cut off by matrix products, which are exact and have a gradient.
 */
final class HeadPadding {

  private final Operators op;

  /** [head size, cached head size] */
  private final Optional<Tensor> identity;

  private final Optional<Tensor> scaledIdentity;

  HeadPadding(Operators op, ModelConfig config) {
    this.op = op;
    int size = config.headSize();
    int padded = config.cachedHeadSize();
    if (size == padded) {
      identity = Optional.empty();
      scaledIdentity = Optional.empty();
    } else {
      // Attention divides by the root of the size it sees, where the heads' own size is due.
      double scale = Math.sqrt((double) padded / size);
      RotaryLayout layout = config.rotary().layout();
      identity = Optional.of(diagonal("head_padding", size, padded, layout, 1));
      scaledIdentity = Optional.of(diagonal("query_padding", size, padded, layout, (float) scale));
    }
  }

  /** Channels that are turned together stay together: halves are padded each. */
  private Tensor diagonal(String name, int rows, int columns, RotaryLayout layout, float value) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < rows; i++) {
      boolean second = layout == RotaryLayout.HALVES && i >= rows / 2;
      values[i * columns + i + (second ? (columns - rows) / 2 : 0)] = value;
    }
    return op.graph().constant(name, Shape.of(rows, columns), values);
  }

  /** Queries [tokens, heads · head size] as attention takes them. */
  Tensor query(Tensor x) {
    return scaledIdentity.map(matrix -> eachHead(x, matrix, false)).orElse(x);
  }

  /** Keys or values [tokens, heads · head size] as attention takes them. */
  Tensor keyOrValue(Tensor x) {
    return identity.map(matrix -> eachHead(x, matrix, false)).orElse(x);
  }

  /** The output of attention [tokens, heads · cached head size] without the padding. */
  Tensor cut(Tensor x) {
    return identity.map(matrix -> eachHead(x, matrix, true)).orElse(x);
  }

  private Tensor eachHead(Tensor x, Tensor matrix, boolean transpose) {
    Dimension tokens = x.shape().dimension(0);
    Dimension from = matrix.shape().dimension(transpose ? 1 : 0);
    Dimension to = matrix.shape().dimension(transpose ? 0 : 1);
    Dimension heads = Dimension.of(x.shape().dimension(1).extent() / from.extent());
    Tensor separate = op.reshape(op.cast(x, FLOAT32), Shape.of(tokens.times(heads), from));
    Tensor product = op.cast(op.product(separate, false, matrix, transpose), x.type());
    return op.reshape(product, Shape.of(tokens, heads.times(to)));
  }
}

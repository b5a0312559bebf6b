package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Tensor;

/**
 * Causal attention in which several query heads share a key/value head, rotary positions included
 * (Ainslie et al. 2023, "GQA").
 *
 * @param output [batch, length, heads · head size]
 * @param presentKey rotated keys, [batch, key/value heads, total length, head size]; absent where
 *     attention is {@link FusedAttention}
 * @param presentValue values, as {@code presentKey}
 */
public record Attention(Tensor output, Tensor presentKey, Tensor presentValue) {

  /**
   * What is attended to and by what.
   *
   * @param query [batch, length, heads · head size], float32 or half precision
   * @param key [batch, length, key/value heads · head size]
   * @param value as {@code key}
   */
  public record Heads(Tensor query, Tensor key, Tensor value, int queryHeads, int keyValueHeads) {}

  /**
   * Keys and values of earlier positions.
   *
   * @param key [batch, key/value heads, capacity, head size]
   * @param value as {@code key}
   */
  public record Past(Tensor key, Tensor value) {

    /** Positions start at 0. */
    public static final Past NONE = new Past(Tensor.ABSENT, Tensor.ABSENT);
  }

  /**
   * Where the rows are.
   *
   * @param last int32 [batch], the last position of each row
   * @param total int32 scalar, the number of positions, past ones included
   * @param inSample int64 [batch, length], where in its own sample each position is: a row then
   *     holds several, one after the other, of which none sees another; absent where a row is one
   */
  public record Positions(Tensor last, Tensor total, Tensor inSample) {

    /** Of rows that are one sample each. */
    public Positions(Tensor last, Tensor total) {
      this(last, total, Tensor.ABSENT);
    }
  }

  /**
   * How far each position is turned.
   *
   * @param cosine [positions, head size / 2]
   * @param sine as {@code cosine}
   */
  public record Rotation(RotaryLayout layout, Tensor cosine, Tensor sine) {

    /** Queries and keys stay as they are. */
    public static final Rotation NONE =
        new Rotation(RotaryLayout.NEIGHBOURS, Tensor.ABSENT, Tensor.ABSENT);

    public boolean isPresent() {
      return cosine.isPresent();
    }

    void expectAngles(Operator operator, Dimension headSize) {
      expectRank(operator, cosine, 2);
      expectShape(operator, sine, cosine.shape());
      if (!cosine.shape().dimension(1).times(Dimension.of(2)).equals(headSize)) {
        throw expected(operator, "an angle for each of " + headSize + " / 2 pairs", cosine, sine);
      }
    }
  }
}

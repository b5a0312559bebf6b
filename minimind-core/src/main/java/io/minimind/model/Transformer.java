package io.minimind.model;

import static io.minimind.graph.ElementType.INT32;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operators;
import io.minimind.graph.Operators.Attention;
import io.minimind.graph.Operators.Past;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * MiniMind's forward pass: embedding, blocks of attention and feed-forward, norm, head. It is
 * written once; training, evaluation and decoding are views of it.
 *
 * <p>Activations are [tokens, width], tokens being batch · length; only attention sees the batch.
 */
public final class Transformer {

  private final Operators op;
  private final ModelConfig config;
  private final Optional<LowRankAdapters> adapters;
  private final Tensor cosine;
  private final Tensor sine;
  private final HeadPadding padding;
  private final List<Attention> attentions = new ArrayList<>();

  public Transformer(Operators op, ModelConfig config) {
    this(op, config, Optional.empty());
  }

  /**
   * @param adapters if there are any, their matrices are all that is trained
   */
  public Transformer(Operators op, ModelConfig config, Optional<LowRankAdapters> adapters) {
    this.op = op;
    this.config = config;
    this.adapters = adapters;
    // Pairs of zeros, with which heads may be padded, get angles too; any will do.
    int pairs = config.cachedHeadSize() / 2;
    float[] cosines = new float[config.maxLength() * pairs];
    float[] sines = new float[cosines.length];
    for (int i = 0; i < cosines.length; i++) {
      float frequency =
          (float) (1 / Math.pow(config.ropeTheta(), 2f * (i % pairs) / config.headSize()));
      float angle = i / pairs * frequency;
      cosines[i] = (float) Math.cos(angle);
      sines[i] = (float) Math.sin(angle);
    }
    Shape table = Shape.of(config.maxLength(), pairs);
    this.cosine = op.graph().constant("rotary.cosine", table, cosines);
    this.sine = op.graph().constant("rotary.sine", table, sines);
    this.padding = new HeadPadding(op, config);
  }

  /**
   * Logits of sequences that start at position 0.
   *
   * @param ids int64 [batch, length]
   * @return [tokens, vocabulary]
   */
  public Tensor logits(Tensor ids) {
    Dimension batch = ids.shape().dimension(0);
    Tensor length = op.extent(ids.shape().dimension(1));
    Tensor last = op.subtract(length, op.graph().constant("one", Shape.of(1), 1L));
    return logits(
        ids,
        List.of(),
        op.expand(op.cast(last, INT32), Shape.of(batch)),
        op.reshape(op.cast(length, INT32), Shape.SCALAR));
  }

  /**
   * Logits of the next tokens of sequences that are continued.
   *
   * @param ids int64 [batch, length]
   * @param past keys and values of each layer, none when positions start at 0
   * @param lastPosition int32 [batch], the last position of each row
   * @param totalLength int32 scalar, past and new positions
   * @return [tokens, vocabulary]
   */
  public Tensor logits(Tensor ids, List<Past> past, Tensor lastPosition, Tensor totalLength) {
    Dimension tokens = ids.shape().elements();
    Dimension width = Dimension.of(config.hiddenSize());
    Tensor embedding =
        parameter("tok_embeddings.weight", config.vocabularySize(), config.hiddenSize());
    Tensor x = op.reshape(op.gather(embedding, ids), Shape.of(tokens, width));
    Shape rows = ids.shape();
    for (int layer = 0; layer < config.layers(); layer++) {
      Optional<Past> layerPast = past.isEmpty() ? Optional.empty() : Optional.of(past.get(layer));
      x = op.add(x, attention(layer, x, rows, layerPast, lastPosition, totalLength));
      x = op.add(x, feedForward(layer, x));
    }
    return op.linear(norm("norm.weight", x), embedding);
  }

  /** The attention of each layer, after {@link #logits} was built. */
  public List<Attention> attentions() {
    return List.copyOf(attentions);
  }

  private Tensor attention(
      int layer, Tensor x, Shape rows, Optional<Past> past, Tensor lastPosition, Tensor total) {
    String prefix = "layers." + layer + ".attention.";
    int width = config.hiddenSize();
    int keyValueWidth = config.keyValueHeads() * config.headSize();
    Tensor normed = norm("layers." + layer + ".attention_norm.weight", x);
    Tensor query = linear(normed, prefix + "wq", width, width);
    Tensor key = linear(normed, prefix + "wk", keyValueWidth, width);
    Tensor value = linear(normed, prefix + "wv", keyValueWidth, width);
    Tensor attended = attention(query, key, value, rows, past, lastPosition, total);
    return linear(attended, prefix + "wo", width, width);
  }

  /**
   * Attention without its weights.
   *
   * @param query [tokens, heads · head size]
   * @param key [tokens, key/value heads · head size]
   * @param value as {@code key}
   * @param rows [batch, length]
   * @return as {@code query}
   */
  Tensor attention(
      Tensor query,
      Tensor key,
      Tensor value,
      Shape rows,
      Optional<Past> past,
      Tensor lastPosition,
      Tensor total) {
    Tensor paddedQuery = padding.query(query);
    Attention attention =
        op.groupedQueryAttention(
            perRow(paddedQuery, rows),
            perRow(padding.keyOrValue(key), rows),
            perRow(padding.keyOrValue(value), rows),
            past,
            lastPosition,
            total,
            cosine,
            sine,
            config.heads(),
            config.keyValueHeads());
    attentions.add(attention);
    return padding.cut(op.reshape(attention.output(), paddedQuery.shape()));
  }

  private Tensor perRow(Tensor x, Shape rows) {
    return op.reshape(x, Shape.of(rows.dimension(0), rows.dimension(1), x.shape().dimension(1)));
  }

  private Tensor feedForward(int layer, Tensor x) {
    String prefix = "layers." + layer + ".feed_forward.";
    int width = config.hiddenSize();
    int inner = config.feedForwardSize();
    Tensor normed = norm("layers." + layer + ".ffn_norm.weight", x);
    Tensor gate = linear(normed, prefix + "w1", inner, width);
    Tensor up = linear(normed, prefix + "w3", inner, width);
    Tensor gated = op.multiply(op.silu(gate), up);
    return linear(gated, prefix + "w2", width, inner);
  }

  private Tensor norm(String name, Tensor x) {
    return op.rmsNorm(x, parameter(name, config.hiddenSize()), config.normEpsilon());
  }

  /** A linear layer, with the adapter that it may have. */
  private Tensor linear(Tensor x, String layer, long out, long in) {
    Tensor y = op.linear(x, parameter(layer + ".weight", out, in));
    if (adapters.isEmpty() || !adapters.get().adapts(layer)) {
      return y;
    }
    int rank = adapters.get().rank();
    Tensor a = op.graph().parameter(LowRankAdapters.a(layer), rank, in);
    Tensor b = op.graph().parameter(LowRankAdapters.b(layer), out, rank);
    Tensor scale = op.graph().constant(layer + ".lora_scale", Shape.SCALAR, adapters.get().scale());
    return op.add(y, op.linear(op.multiply(op.linear(x, a), scale), b));
  }

  private Tensor parameter(String name, long... extents) {
    return adapters.isPresent()
        ? op.graph().frozenParameter(name, extents)
        : op.graph().parameter(name, extents);
  }
}

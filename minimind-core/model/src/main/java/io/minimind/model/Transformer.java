package io.minimind.model;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT32;

import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention;
import io.minimind.graph.operator.Attention.Heads;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Attention.Rotation;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Matrices.Matrix;
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
  private final Matrices matrices;
  private final Matrix embedding;
  private final Rotation rotation;
  private final HeadPadding padding;
  private final FeedForward feedForward;
  private final MixtureOfExperts experts;
  private final List<Attention> attentions = new ArrayList<>();

  /** With float32 matrices, which can be trained. */
  public Transformer(Operators op, ModelConfig config) {
    this(op, config, Optional.empty(), TrainingPrecision.FLOAT32);
  }

  /**
   * With float32 matrices, which can be trained.
   *
   * @param adapters if there are any, they are trained and the matrices beside them are not
   */
  public Transformer(
      Operators op,
      ModelConfig config,
      Optional<LowRankAdapters> adapters,
      TrainingPrecision precision) {
    this(op, config, trained(op, adapters, precision));
  }

  private static Matrices trained(
      Operators op, Optional<LowRankAdapters> adapters, TrainingPrecision precision) {
    return adapters.isEmpty()
        ? new FloatMatrices(op, precision.products())
        : new AdaptedMatrices(op, adapters.get(), precision.products());
  }

  /** A precision other than float32 has no gradients. */
  public Transformer(Operators op, ModelConfig config, Precision precision) {
    this(op, config, precision.matrices(op));
  }

  private Transformer(Operators op, ModelConfig config, Matrices matrices) {
    this.op = op;
    this.config = config;
    this.matrices = matrices;
    embedding = new Matrix("tok_embeddings.weight", config.vocabularySize(), config.hiddenSize());
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
    this.rotation =
        new Rotation(
            RotaryLayout.NEIGHBOURS,
            op.graph().constant("rotary.cosine", table, cosines),
            op.graph().constant("rotary.sine", table, sines));
    this.padding = new HeadPadding(op, config);
    this.feedForward = new FeedForward(op, config, matrices);
    this.experts = new MixtureOfExperts(op, config, matrices, feedForward);
  }

  /**
   * Logits of sequences that start at position 0.
   *
   * @param ids int64 [batch, length]
   * @return [tokens, vocabulary]
   */
  public Tensor logits(Tensor ids) {
    return head(hiddenStates(ids));
  }

  /**
   * What the head sees of sequences that start at position 0.
   *
   * @param ids int64 [batch, length]
   * @return [tokens, width]
   */
  public Tensor hiddenStates(Tensor ids) {
    Dimension batch = ids.shape().dimension(0);
    Tensor length = op.extent(ids.shape().dimension(1));
    Tensor last = op.subtract(length, op.graph().constant("one", Shape.of(1), 1L));
    return hiddenStates(
        ids,
        List.of(),
        new Positions(
            op.expand(op.cast(last, INT32), Shape.of(batch)),
            op.reshape(op.cast(length, INT32), Shape.SCALAR)));
  }

  /**
   * What the head sees of sequences that are continued.
   *
   * @param ids int64 [batch, length]
   * @param past keys and values of each layer, none when positions start at 0
   * @return [tokens, width]
   */
  public Tensor hiddenStates(Tensor ids, List<Past> past, Positions positions) {
    Tensor x = matrices.rows(embedding, ids);
    Shape rows = ids.shape();
    for (int layer = 0; layer < config.layers(); layer++) {
      Past layerPast = past.isEmpty() ? Past.NONE : past.get(layer);
      x = op.add(x, attention(layer, x, rows, layerPast, positions));
      x = op.add(x, feedForward(layer, x));
    }
    return norm("norm.weight", x);
  }

  /**
   * Logits of the next tokens.
   *
   * @param hiddenStates [tokens, width], of all tokens or some
   * @return [tokens, vocabulary]
   */
  public Tensor head(Tensor hiddenStates) {
    return product(hiddenStates, embedding);
  }

  /** The attention of each layer, after {@link #hiddenStates} was built. */
  public List<Attention> attentions() {
    return List.copyOf(attentions);
  }

  /**
   * The balance loss of a mixture of experts, after {@link #logits} was built.
   *
   * @param rows [batch, length]
   * @return a scalar, or nothing where there is no mixture or it is trained without
   */
  public Optional<Tensor> balanceLoss(Shape rows) {
    return config.experts().balance() > 0
        ? Optional.of(experts.balanceLoss(rows))
        : Optional.empty();
  }

  /** How each layer chose among its experts, after {@link #logits} was built; none without any. */
  public List<Routing> routings() {
    return experts.routings();
  }

  private Tensor attention(int layer, Tensor x, Shape rows, Past past, Positions positions) {
    String prefix = "layers." + layer + ".attention.";
    int width = config.hiddenSize();
    int keyValueWidth = config.keyValueHeads() * config.headSize();
    Tensor normed = norm("layers." + layer + ".attention_norm.weight", x);
    Matrix query = new Matrix(prefix + "wq.weight", width, width);
    Matrix key = new Matrix(prefix + "wk.weight", keyValueWidth, width);
    Matrix value = new Matrix(prefix + "wv.weight", keyValueWidth, width);
    List<Tensor> heads = matrices.products(normed, List.of(query, key, value));
    Tensor attended = attention(heads.get(0), heads.get(1), heads.get(2), rows, past, positions);
    return product(attended, new Matrix(prefix + "wo.weight", width, width));
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
      Tensor query, Tensor key, Tensor value, Shape rows, Past past, Positions positions) {
    Tensor paddedQuery = padding.query(query);
    Heads heads =
        new Heads(
            perRow(paddedQuery, rows),
            perRow(padding.keyOrValue(key), rows),
            perRow(padding.keyOrValue(value), rows),
            config.heads(),
            config.keyValueHeads());
    Attention attention = op.attention(heads, past, positions, rotation);
    attentions.add(attention);
    return padding.cut(op.reshape(attention.output(), paddedQuery.shape()));
  }

  private Tensor perRow(Tensor x, Shape rows) {
    return op.reshape(x, Shape.of(rows.dimension(0), rows.dimension(1), x.shape().dimension(1)));
  }

  private Tensor feedForward(int layer, Tensor x) {
    String prefix = "layers." + layer + ".feed_forward.";
    Tensor normed = norm("layers." + layer + ".ffn_norm.weight", x);
    return config.experts().isMixture()
        ? experts.apply(prefix, normed)
        : feedForward.apply(prefix, normed);
  }

  private Tensor norm(String name, Tensor x) {
    Tensor weight = matrices.plain(name, config.hiddenSize());
    return op.rmsNorm(x, weight, config.normEpsilon());
  }

  /** float32, whatever the type of the products: it is added to the residual or is the logits. */
  private Tensor product(Tensor x, Matrix matrix) {
    return op.cast(matrices.products(x, List.of(matrix)).get(0), FLOAT32);
  }
}

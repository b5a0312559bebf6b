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
import io.minimind.model.ModelConfig.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

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
  private final Parameters parameters;
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
        ? FloatMatrices.trained(op, precision.products())
        : new AdaptedMatrices(op, adapters.get(), precision.products());
  }

  /**
   * One that stands beside the model that learns and is not trained.
   *
   * @param model its name, with which the names of its parameters begin
   */
  public static Transformer frozen(
      Operators op, ModelConfig config, String model, TrainingPrecision precision) {
    return new Transformer(op, config, FloatMatrices.frozen(op, precision.products(), model));
  }

  /** A precision other than float32 has no gradients. */
  public Transformer(Operators op, ModelConfig config, Precision precision) {
    this(op, config, precision.matrices(op));
  }

  public ModelConfig config() {
    return config;
  }

  /** A second body of the same architecture. */
  public Transformer beside(SecondBody body) {
    return new Transformer(op, config, body.matrices(op));
  }

  private Transformer(Operators op, ModelConfig config, Matrices matrices) {
    this.op = op;
    this.config = config;
    this.matrices = matrices;
    this.parameters = new Parameters(config);
    int pairs = config.cachedHeadSize() / 2;
    this.rotation = config.rotary().table(op.graph(), config.maxLength(), config.headSize(), pairs);
    this.padding = new HeadPadding(op, config);
    this.feedForward = new FeedForward(op, matrices);
    this.experts = new MixtureOfExperts(op, parameters, matrices, feedForward);
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
    return hiddenStates(ids, Tensor.ABSENT);
  }

  /**
   * The same of rows in which several sequences stand one after the other.
   *
   * @param ids int64 [batch, length]
   * @param inSample int64 [batch, length], where in its own sequence each position is; absent where
   *     each row is one
   * @return [tokens, width]
   */
  public Tensor hiddenStates(Tensor ids, Tensor inSample) {
    Dimension batch = ids.shape().dimension(0);
    Tensor length = op.extent(ids.shape().dimension(1));
    Tensor last = op.subtract(length, op.graph().constant("one", Shape.of(1), 1L));
    return hiddenStates(
        ids,
        List.of(),
        new Positions(
            op.expand(op.cast(last, INT32), Shape.of(batch)),
            op.reshape(op.cast(length, INT32), Shape.SCALAR),
            inSample));
  }

  /**
   * What the head sees of sequences that are continued.
   *
   * @param ids int64 [batch, length]
   * @param past keys and values of each layer, none when positions start at 0
   * @return [tokens, width]
   */
  public Tensor hiddenStates(Tensor ids, List<Past> past, Positions positions) {
    Tensor x = matrices.rows(parameters.get(Role.EMBEDDING), ids);
    Shape rows = ids.shape();
    for (int layer = 0; layer < config.layers(); layer++) {
      Past layerPast = past.isEmpty() ? Past.NONE : past.get(layer);
      x = op.add(x, attention(layer, x, rows, layerPast, positions));
      x = op.add(x, feedForward(layer, x));
    }
    return norm(parameters.get(Role.NORM), x);
  }

  /**
   * Logits of the next tokens.
   *
   * @param hiddenStates [tokens, width], of all tokens or some
   * @return [tokens, vocabulary]
   */
  public Tensor head(Tensor hiddenStates) {
    Role role = config.has(Part.OWN_HEAD) ? Role.HEAD : Role.EMBEDDING;
    return product(hiddenStates, parameters.get(role));
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
    return config.experts().balance().weight() > 0
        ? Optional.of(experts.balanceLoss(rows))
        : Optional.empty();
  }

  /** How each layer chose among its experts, after {@link #logits} was built; none without any. */
  public List<Routing> routings() {
    return experts.routings();
  }

  private Tensor attention(int layer, Tensor x, Shape rows, Past past, Positions positions) {
    Tensor normed = norm(parameters.get(Role.ATTENTION_NORM, layer), x);
    List<Tensor> heads =
        matrices.products(
            normed,
            Stream.of(Role.QUERY, Role.KEY, Role.VALUE)
                .map(role -> parameters.get(role, layer))
                .toList());
    Tensor query = heads.get(0);
    Tensor key = heads.get(1);
    Tensor value = heads.get(2);
    if (config.has(Part.QUERY_KEY_VALUE_BIAS)) {
      query = biased(query, parameters.get(Role.QUERY_BIAS, layer));
      key = biased(key, parameters.get(Role.KEY_BIAS, layer));
      value = biased(value, parameters.get(Role.VALUE_BIAS, layer));
    }
    if (config.has(Part.QUERY_KEY_NORM)) {
      query = headNorm(parameters.get(Role.QUERY_NORM, layer), query);
      key = headNorm(parameters.get(Role.KEY_NORM, layer), key);
    }
    Tensor attended = attention(layer, query, key, value, rows, past, positions);
    Tensor output = product(attended, parameters.get(Role.OUTPUT, layer));
    return config.has(Part.OUTPUT_BIAS)
        ? biased(output, parameters.get(Role.OUTPUT_BIAS, layer))
        : output;
  }

  private Tensor biased(Tensor x, Parameter bias) {
    return op.add(x, op.cast(matrices.plain(bias), x.type()));
  }

  /** Normalises each head of [tokens, heads · head size] for itself. */
  private Tensor headNorm(Parameter weight, Tensor x) {
    Dimension size = Dimension.of(config.headSize());
    Dimension heads = Dimension.of(x.shape().dimension(1).extent() / config.headSize());
    Shape separate = Shape.of(x.shape().dimension(0).times(heads), size);
    Tensor normed = norm(weight, op.reshape(op.cast(x, FLOAT32), separate));
    return op.cast(op.reshape(normed, x.shape()), x.type());
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
      int layer,
      Tensor query,
      Tensor key,
      Tensor value,
      Shape rows,
      Past past,
      Positions positions) {
    Tensor paddedQuery = padding.query(query);
    Heads heads =
        new Heads(
            perRow(paddedQuery, rows),
            perRow(padding.keyOrValue(key), rows),
            perRow(padding.keyOrValue(value), rows),
            config.heads(),
            config.keyValueHeads());
    boolean turned = !config.rotary().layersWithout().contains(layer);
    Attention attention = op.attention(heads, past, positions, turned ? rotation : Rotation.NONE);
    attentions.add(attention);
    return padding.cut(op.reshape(attention.output(), paddedQuery.shape()));
  }

  private Tensor perRow(Tensor x, Shape rows) {
    return op.reshape(x, Shape.of(rows.dimension(0), rows.dimension(1), x.shape().dimension(1)));
  }

  private Tensor feedForward(int layer, Tensor x) {
    Tensor normed = norm(parameters.get(Role.FEED_FORWARD_NORM, layer), x);
    return config.experts().isMixture()
        ? experts.apply(layer, normed)
        : feedForward.apply(normed, dense(layer));
  }

  private FeedForward.Weights dense(int layer) {
    Stream<Role> biases =
        config.has(Part.FEED_FORWARD_BIAS)
            ? Stream.of(Role.GATE_BIAS, Role.UP_BIAS, Role.DOWN_BIAS)
            : Stream.of();
    return new FeedForward.Weights(
        parameters.get(Role.GATE, layer),
        parameters.get(Role.UP, layer),
        parameters.get(Role.DOWN, layer),
        biases.map(role -> parameters.get(role, layer)).toList());
  }

  private Tensor norm(Parameter weight, Tensor x) {
    return op.rmsNorm(x, matrices.plain(weight), config.normEpsilon());
  }

  /** float32, whatever the type of the products: it is added to the residual or is the logits. */
  private Tensor product(Tensor x, Parameter matrix) {
    return op.cast(matrices.products(x, List.of(matrix)).get(0), FLOAT32);
  }
}

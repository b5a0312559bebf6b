package io.minimind.model;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;

import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.Experts.Balance.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Feed-forward layers of which a gate chooses some for each token, and which compute nothing for
 * the others (Shazeer et al. 2017, "Outrageously Large Neural Networks"); with experts that all
 * tokens share (Dai et al. 2024, "DeepSeekMoE").
 *
 * <p>The pairs of a token and an expert are sorted by expert, so that each expert has its tokens in
 * one piece, and put back afterwards.
 */
final class MixtureOfExperts {

  private final Operators op;
  private final Parameters parameters;
  private final Experts experts;
  private final Matrices matrices;
  private final FeedForward feedForward;
  private final List<Routing> routings = new ArrayList<>();

  MixtureOfExperts(
      Operators op, Parameters parameters, Matrices matrices, FeedForward feedForward) {
    this.op = op;
    this.parameters = parameters;
    this.experts = parameters.config().experts();
    this.matrices = matrices;
    this.feedForward = feedForward;
  }

  /** What the gates chose so far, in the order of the layers. */
  List<Routing> routings() {
    return List.copyOf(routings);
  }

  /**
   * @param x float32 [tokens, width]
   * @return as {@code x}
   */
  Tensor apply(int layer, Tensor x) {
    Tensor router = matrices.plain(parameters.get(Role.ROUTER, layer));
    Routing routing = route(x, router);
    routings.add(routing);
    Dimension tokens = x.shape().dimension(0);
    Dimension width = x.shape().dimension(1);
    Dimension chosen = Dimension.of(experts.perToken());
    Dimension pairs = tokens.times(chosen);
    Tensor order = op.ascending(op.reshape(routing.chosen(), Shape.of(pairs)));
    Tensor perToken =
        op.graph().constant("experts_per_token", Shape.SCALAR, (long) experts.perToken());
    Tensor sorted = op.gather(x, op.divide(order, perToken));
    List<Tensor> outputs = new ArrayList<>();
    List<Tensor> inputs = op.split(sorted, 0, counts(router, routing));
    for (int expert = 0; expert < inputs.size(); expert++) {
      outputs.add(feedForward.apply(inputs.get(expert), expert(layer, expert)));
    }
    Tensor back = op.gather(op.concatenate(outputs, 0, pairs), op.ascending(order));
    Tensor weighted =
        op.multiply(op.reshape(back, Shape.of(tokens, chosen, width)), routing.weights());
    Tensor mixed = op.reshape(op.sum(weighted, 1), x.shape());
    return experts.shared() == 0 ? mixed : op.add(mixed, feedForward.apply(x, shared(layer)));
  }

  private FeedForward.Weights expert(int layer, int expert) {
    return new FeedForward.Weights(
        parameters.get(Role.EXPERT_GATE, layer, expert),
        parameters.get(Role.EXPERT_UP, layer, expert),
        parameters.get(Role.EXPERT_DOWN, layer, expert),
        List.of());
  }

  private FeedForward.Weights shared(int layer) {
    return new FeedForward.Weights(
        parameters.get(Role.SHARED_GATE, layer),
        parameters.get(Role.SHARED_UP, layer),
        parameters.get(Role.SHARED_DOWN, layer),
        List.of());
  }

  /**
   * The loss that keeps the routers of all layers from always choosing the same experts, as {@link
   * Experts.Balance} defines it.
   *
   * @param rows [batch, length]
   * @return a scalar
   */
  Tensor balanceLoss(Shape rows) {
    boolean perRow = experts.balance().scope() == Scope.ROW;
    Dimension groups = perRow ? rows.dimension(0) : Dimension.of(1);
    Dimension length = perRow ? rows.dimension(1) : rows.elements();
    Dimension routed = Dimension.of(experts.routed());
    Dimension choices = length.times(Dimension.of(experts.perToken()));
    Tensor total = null;
    for (Routing routing : routings) {
      Tensor counts = op.sum(op.reshape(routing.choices(), Shape.of(groups, choices, routed)), 1);
      Tensor scores = op.sum(op.reshape(routing.scores(), Shape.of(groups, length, routed)), 1);
      Tensor sum = op.sum(op.multiply(counts, scores));
      total = total == null ? sum : op.add(total, sum);
    }
    double factor = experts.balance().weight() * experts.routed();
    if (perRow) {
      factor /= experts.perToken();
    }
    Tensor weight = op.graph().constant("balance_weight", Shape.SCALAR, (float) factor);
    Tensor positions = op.cast(op.extent(groups.times(length).times(length)), FLOAT32);
    return op.divide(op.multiply(total, weight), op.reshape(positions, Shape.SCALAR));
  }

  /** The gate computes in float32, whatever the type of the products. */
  private Routing route(Tensor x, Tensor gate) {
    Tensor scores = op.softmax(op.linear(x, gate));
    Dimension tokens = x.shape().dimension(0);
    Dimension perToken = Dimension.of(experts.perToken());
    Dimension routed = Dimension.of(experts.routed());
    Tensor chosen = op.largest(scores, experts.perToken());
    Dimension one = Dimension.of(1);
    Tensor all = op.integers(LongStream.range(0, experts.routed()).toArray());
    Tensor choices =
        op.cast(op.equal(op.reshape(chosen, Shape.of(tokens, perToken, one)), all), FLOAT32);
    Tensor weights =
        op.sum(op.multiply(choices, op.reshape(scores, Shape.of(tokens, one, routed))), 2);
    if (experts.renormalised()) {
      weights = op.divide(weights, op.sum(weights, 1));
    }
    return new Routing(scores, chosen, weights, choices);
  }

  /** How many tokens each expert has, known only when they were counted. */
  private List<Dimension> counts(Tensor router, Routing routing) {
    Tensor sums = op.reshape(op.sum(routing.choices(), 0, 1), Shape.of(experts.routed()));
    long[] ones = LongStream.generate(() -> 1).limit(experts.routed()).toArray();
    List<Dimension> counts = new ArrayList<>();
    for (Tensor count : op.split(op.cast(sums, INT64), ones)) {
      String name = "tokens of expert %d of %s".formatted(counts.size(), router.name());
      counts.add(op.dimension(name, count));
    }
    return counts;
  }
}

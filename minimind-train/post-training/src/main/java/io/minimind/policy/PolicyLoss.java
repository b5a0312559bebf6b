package io.minimind.policy;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.artifact.ForwardPass;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.policy.PolicyObjective.Variant;

/** The loss of {@link PolicyObjective}, and its metrics. */
final class PolicyLoss {

  private final ForwardPass pass;
  private final Operators op;
  private final PolicyObjective objective;
  private final Tensor mask;
  private final Tensor one;
  private Tensor logRatios;

  PolicyLoss(ForwardPass pass, PolicyObjective objective) {
    this.pass = pass;
    this.op = pass.operators();
    this.objective = objective;
    mask = pass.lossMask();
    one = scalar("one", 1);
  }

  Tensor of() {
    Tensor logProbabilities = pass.logProbabilities();
    pass.output(PolicyObjective.LOG_PROBABILITIES, logProbabilities);
    Tensor advantages = pass.input(PolicyObjective.ADVANTAGES.name());
    logRatios = difference(logProbabilities, written(logProbabilities));
    Tensor ratios = op.exponential(logRatios);
    pass.output(PolicyObjective.RATIOS, ratios);
    Tensor losses = op.negate(gains(ratios, advantages, logProbabilities));
    if (objective.beta() > 0) {
      Tensor kl = kl(logProbabilities);
      pass.output(PolicyObjective.TOKEN_KL, kl);
      pass.metric(PolicyObjective.KL, meanOfTokens(kl));
      losses = op.add(losses, op.multiply(kl, scalar("beta", objective.beta())));
    }
    pass.output(PolicyObjective.TOKEN_LOSSES, losses);
    if (!objective.fresh()) {
      pass.metric(PolicyObjective.CLIPPED, meanOfTokens(outside(ratios)));
    }
    Tensor reward = meanOfRows(pass.input(PolicyObjective.REWARDS.name()));
    pass.metric(PolicyObjective.REWARD, reward);
    pass.metric(PolicyObjective.LENGTH, meanOfRows(pass.sumOfRows(mask)));
    Tensor loss =
        objective.variant() == Variant.PPO ? meanOfTokens(losses) : pass.meanOfRows(losses);
    return op.subtract(loss, reward);
  }

  /** The mean of half the squares of the ratios' logarithms, after {@link #of}. */
  Tensor moved() {
    Tensor squares = op.multiply(logRatios, logRatios);
    return op.multiply(meanOfTokens(squares), scalar("half", 0.5));
  }

  private Tensor written(Tensor logProbabilities) {
    return objective.fresh()
        ? op.stopGradient(logProbabilities)
        : pass.input(PolicyObjective.WRITTEN.name());
  }

  private Tensor gains(Tensor ratios, Tensor advantages, Tensor logProbabilities) {
    if (objective.variant() == Variant.CISPO) {
      Tensor most = scalar("most_weight", objective.mostWeight());
      Tensor weights = op.stopGradient(op.minimum(ratios, most));
      return op.multiply(op.multiply(weights, advantages), logProbabilities);
    }
    float clip = (float) objective.clip();
    return op.minimum(
        op.multiply(ratios, advantages),
        op.multiply(op.clip(ratios, 1 - clip, 1 + clip), advantages));
  }

  private Tensor kl(Tensor logProbabilities) {
    Tensor reference = pass.input(PolicyObjective.REFERENCE.name());
    Tensor d = difference(reference, logProbabilities);
    return op.subtract(op.subtract(op.exponential(d), d), one);
  }

  /** 0 where nothing counts: what is in the padding must not overflow. */
  private Tensor difference(Tensor a, Tensor b) {
    return op.multiply(op.subtract(a, b), mask);
  }

  /** 1 where a ratio is beyond the clip, else 0. */
  private Tensor outside(Tensor ratios) {
    Tensor above = op.greater(ratios, scalar("most", 1 + objective.clip()));
    Tensor below = op.greater(scalar("least", 1 - objective.clip()), ratios);
    return op.add(op.cast(above, FLOAT32), op.cast(below, FLOAT32));
  }

  /** The mean over the tokens that count; 0 if there are none. */
  Tensor meanOfTokens(Tensor values) {
    Tensor count = op.maximum(op.sum(mask), one);
    return op.divide(op.sum(op.multiply(values, mask)), count);
  }

  Tensor meanOfRows(Tensor values) {
    Tensor rows = op.reshape(op.cast(op.extent(pass.rows()), FLOAT32), Shape.SCALAR);
    return op.divide(op.sum(values), rows);
  }

  private Tensor scalar(String name, double value) {
    return op.graph().constant(name, Shape.SCALAR, (float) value);
  }
}

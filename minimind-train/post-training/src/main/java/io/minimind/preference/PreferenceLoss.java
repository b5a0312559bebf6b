package io.minimind.preference;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Objective.PerToken;
import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.preference.PreferenceObjective.Variant;

/**
 * The loss of {@link PreferenceObjective} from the log-probabilities of answers, and its metrics.
 */
final class PreferenceLoss {

  private final ForwardPass pass;
  private final Operators op;
  private final PreferenceObjective objective;
  private final Dimension pairs;
  private final Tensor pairCount;
  private final Tensor signs;

  PreferenceLoss(ForwardPass pass, PreferenceObjective objective) {
    this.pass = pass;
    this.op = pass.operators();
    this.objective = objective;
    this.pairs = pass.groups();
    this.pairCount = op.reshape(op.cast(op.extent(pairs), FLOAT32), Shape.SCALAR);
    this.signs = columns("chosen_less_rejected", 1, -1);
  }

  /**
   * Reports the metrics.
   *
   * @param logProbabilities of the answers, [rows]
   * @return the loss, a mean over the pairs
   */
  Tensor of(Tensor logProbabilities) {
    Tensor policy = inPairs(logProbabilities);
    Tensor answers = objective.variant().hasReference() ? ratios(policy) : averages(policy);
    Tensor likely = objective.variant() == Variant.ORPO ? odds(answers) : answers;
    Tensor rewards = op.multiply(likely, scalar("beta", objective.beta()));
    Tensor margins = chosenLessRejected(rewards);
    Tensor losses =
        switch (objective.variant()) {
          case SIGMOID -> sigmoid(rewards);
          case IPO -> squared(chosenLessRejected(averages(answers)));
          case HINGE -> hinge(margins);
          case SIMPO -> sigmoid(op.subtract(rewards, columns("target", objective.beta() / 2, 0)));
          case ORPO -> op.add(op.negate(chosen(answers)), scaled(sigmoid(likely)));
        };
    Tensor won = op.cast(op.greater(margins, scalar("no_margin", 0)), FLOAT32);
    pass.metric(PreferenceObjective.MARGIN, mean(margins));
    pass.metric(PreferenceObjective.ACCURACY, mean(won));
    pass.metric(PreferenceObjective.CHOSEN, mean(chosen(policy)));
    pass.metric(PreferenceObjective.REJECTED, mean(op.multiply(policy, columns("rejected", 0, 1))));
    return mean(losses);
  }

  /** How much more probable answers are than they were to the reference, as logarithms. */
  private Tensor ratios(Tensor policy) {
    return op.subtract(policy, inPairs(pass.input(PreferenceObjective.REFERENCE.name())));
  }

  private Tensor averages(Tensor values) {
    return op.divide(values, inPairs(lengths()));
  }

  /** {@code log(p / (1 - p))} of log-probabilities; of what is certain as of what nearly is. */
  private Tensor odds(Tensor logProbabilities) {
    Tensor uncertain = op.minimum(logProbabilities, scalar("nearly_certain", -1e-6));
    Tensor others = op.subtract(scalar("one", 1), op.exponential(uncertain));
    return op.subtract(uncertain, op.logarithm(others));
  }

  private Tensor scaled(Tensor losses) {
    return op.multiply(losses, scalar("beta", objective.beta()));
  }

  /** [pairs, 2] to [pairs]. */
  private Tensor chosen(Tensor values) {
    Tensor sum = op.sum(op.multiply(values, columns("chosen", 1, 0)), 1);
    return op.reshape(sum, Shape.of(pairs));
  }

  /** [rows] to [pairs, 2]. */
  private Tensor inPairs(Tensor values) {
    return op.reshape(values, Shape.of(pairs, Dimension.of(2)));
  }

  /** Tokens of the answers, [rows]: the mask is 1 for each of them, and so is its square. */
  private Tensor lengths() {
    return pass.sumOfRows(pass.lossMask());
  }

  /**
   * {@code -log sigmoid(margin)} is the cross entropy of telling the chosen answer from the
   * rejected one with their rewards as logits.
   */
  private Tensor sigmoid(Tensor rewards) {
    double smoothing = objective.labelSmoothing();
    Tensor loss = op.crossEntropy(rewards, labels(0), PerToken.NO_LABEL);
    if (smoothing == 0) {
      return loss;
    }
    Tensor flipped = op.crossEntropy(rewards, labels(1), PerToken.NO_LABEL);
    return op.add(
        op.multiply(loss, scalar("label_kept", 1 - smoothing)),
        op.multiply(flipped, scalar("label_flipped", smoothing)));
  }

  private Tensor squared(Tensor difference) {
    Tensor distance =
        op.subtract(difference, scalar("wanted_difference", 1 / (2 * objective.beta())));
    return op.multiply(distance, distance);
  }

  private Tensor hinge(Tensor margins) {
    Tensor missing = op.subtract(scalar("wanted_margin", 1), margins);
    Tensor counts = op.greater(missing, scalar("nothing_missing", 0));
    return op.multiply(missing, op.cast(counts, FLOAT32));
  }

  /** [pairs, 2] to [pairs]. */
  private Tensor chosenLessRejected(Tensor values) {
    Tensor difference = op.sum(op.multiply(values, signs), 1);
    return op.reshape(difference, Shape.of(pairs));
  }

  private Tensor labels(long label) {
    Tensor one = op.graph().constant("preferred_" + label, Shape.of(1), label);
    return op.expand(one, Shape.of(pairs));
  }

  /** The mean over the pairs. */
  private Tensor mean(Tensor values) {
    return op.divide(op.sum(values), pairCount);
  }

  private Tensor scalar(String name, double value) {
    return op.graph().constant(name, Shape.SCALAR, (float) value);
  }

  private Tensor columns(String name, double chosen, double rejected) {
    return op.graph().constant(name, Shape.of(2), (float) chosen, (float) rejected);
  }
}

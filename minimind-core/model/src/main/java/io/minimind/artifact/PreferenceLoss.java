package io.minimind.artifact;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.artifact.Objective.Preference;
import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;

/** The loss of {@link Preference} from the log-probabilities of both answers, and its metrics. */
final class PreferenceLoss {

  /** No label has this value: all pairs count. */
  private static final long NONE = -100;

  private final Operators op;
  private final Preference objective;
  private final Dimension pairs;
  private final Tensor pairCount;
  private final Tensor signs;

  PreferenceLoss(Operators op, Preference objective, Dimension pairs) {
    this.op = op;
    this.objective = objective;
    this.pairs = pairs;
    this.pairCount = op.reshape(op.cast(op.extent(pairs), FLOAT32), Shape.SCALAR);
    this.signs = columns("chosen_less_rejected", 1, -1);
  }

  /**
   * Declares the loss, a mean over the pairs, and the metrics as outputs.
   *
   * @param policy log-probabilities of the chosen and the rejected answers, [pairs, 2]
   * @param reference those of the reference model, alike
   * @param lengths tokens of the answers, alike
   * @return the loss
   */
  Tensor add(Tensor policy, Tensor reference, Tensor lengths) {
    Tensor ratios = op.subtract(policy, reference);
    Tensor rewards = op.multiply(ratios, scalar("beta", objective.beta()));
    Tensor margins = chosenLessRejected(rewards);
    Tensor losses =
        switch (objective.variant()) {
          case SIGMOID -> sigmoid(rewards);
          case IPO -> squared(chosenLessRejected(op.divide(ratios, lengths)));
          case HINGE -> hinge(margins);
        };
    Graph graph = op.graph();
    Tensor loss = mean(losses);
    graph.output(TrainingArtifacts.LOSS, loss);
    Tensor won = op.cast(op.greater(margins, scalar("no_margin", 0)), FLOAT32);
    graph.output(Preference.MARGIN, mean(margins));
    graph.output(Preference.ACCURACY, mean(won));
    graph.output(Preference.CHOSEN, mean(op.multiply(policy, columns("chosen", 1, 0))));
    graph.output(Preference.REJECTED, mean(op.multiply(policy, columns("rejected", 0, 1))));
    return loss;
  }

  /**
   * {@code -log sigmoid(margin)} is the cross entropy of telling the chosen answer from the
   * rejected one with their rewards as logits.
   */
  private Tensor sigmoid(Tensor rewards) {
    double smoothing = objective.labelSmoothing();
    Tensor loss = op.crossEntropy(rewards, labels(0), NONE);
    if (smoothing == 0) {
      return loss;
    }
    Tensor flipped = op.crossEntropy(rewards, labels(1), NONE);
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

  private Tensor columns(String name, float chosen, float rejected) {
    return op.graph().constant(name, Shape.of(2), chosen, rejected);
  }
}

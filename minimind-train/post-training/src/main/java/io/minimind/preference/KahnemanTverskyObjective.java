package io.minimind.preference;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.files.ArgumentException;
import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;

/**
 * Kahneman-Tversky optimization (Ethayarajh et al. 2024, "KTO", arXiv 2402.01306): answers that
 * were found good become more probable than a reference model has them, and bad ones less, each by
 * itself. With {@code r} the logarithm of how much more probable an answer is than it was to the
 * reference, the loss is {@code λ (1 - sigmoid(beta (r - z)))} for a good answer and {@code λ (1 -
 * sigmoid(beta (z - r)))} for a bad one.
 *
 * <p>The reference point {@code z} is what {@code r} is on the whole: the mean, at least 0, of the
 * same logarithm for prompts of the batch with answers to other prompts, without a gradient.
 *
 * <p>Rows come in twos: an answer to its prompt, and the prompt with an answer to another.
 *
 * @param beta above 0; the lower, the further the model may move away from the reference
 * @param desirableWeight {@code λ} of good answers, above 0
 * @param undesirableWeight {@code λ} of bad answers, above 0
 * @param answers that a row of the corpus has and that stay together, 1, or 2 of a pair
 */
public record KahnemanTverskyObjective(
    double beta, double desirableWeight, double undesirableWeight, int answers)
    implements Objective {

  /** As the authors have it, of single answers. */
  public static final KahnemanTverskyObjective DEFAULT = new KahnemanTverskyObjective(0.1, 1, 1, 1);

  /** 1 for an answer that was found good, 0 for a bad one. */
  public static final BatchInput DESIRABLE = BatchInput.floats("desirable", Extent.ROW);

  /** The mean of {@code z}. */
  public static final String REFERENCE_POINT = "reference_point";

  /** The mean of {@code beta r} of good answers and of {@code -beta r} of bad ones. */
  public static final String REWARD = "signed_reward";

  /** The share of answers that are on their side of {@code z}. */
  public static final String ACCURACY = PreferenceObjective.ACCURACY;

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public KahnemanTverskyObjective {
    for (double value : new double[] {beta, desirableWeight, undesirableWeight}) {
      if (!(value > 0) || Double.isInfinite(value)) {
        throw new ArgumentException(
            "Beta and the weights of good and bad answers must be numbers above 0, but are %s, %s and %s."
                .formatted(beta, desirableWeight, undesirableWeight));
      }
    }
    if (answers != 1 && answers != 2) {
      throw new ArgumentException("A row has 1 answer, or 2 of a pair, not " + answers + ".");
    }
  }

  @Override
  public List<BatchInput> inputs() {
    return List.of(DESIRABLE, PreferenceObjective.REFERENCE);
  }

  @Override
  public int groupSize() {
    return 2 * answers;
  }

  @Override
  public List<Metric> metrics() {
    return List.of(
        new Metric(REFERENCE_POINT, Extent.ROW),
        new Metric(REWARD, Extent.ROW),
        new Metric(ACCURACY, Extent.ROW));
  }

  @Override
  public Extent lossOver() {
    return Extent.ROW;
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    return new Loss(pass).of();
  }

  private final class Loss {
    private final ForwardPass pass;
    private final Operators op;
    private final Dimension judged;

    Loss(ForwardPass pass) {
      this.pass = pass;
      this.op = pass.operators();
      this.judged = pass.groups().times(Dimension.of(answers));
    }

    Tensor of() {
      Tensor reference = pass.input(PreferenceObjective.REFERENCE.name());
      Tensor ratios = op.subtract(AnswerLogProbabilities.of(pass), reference);
      Tensor own = column(ratios, "own", 1, 0);
      Tensor point = point(column(ratios, "mismatched", 0, 1));
      Tensor good = column(pass.input(DESIRABLE.name()), "own", 1, 0);
      Tensor bad = op.subtract(scalar("one", 1), good);
      Tensor signs = op.subtract(good, bad);
      Tensor gains = op.multiply(signs, op.subtract(own, point));
      Tensor weights =
          op.add(
              op.multiply(good, scalar("desirable_weight", desirableWeight)),
              op.multiply(bad, scalar("undesirable_weight", undesirableWeight)));
      Tensor beta = scalar("beta", KahnemanTverskyObjective.this.beta);
      pass.metric(REFERENCE_POINT, point);
      pass.metric(REWARD, mean(op.multiply(op.multiply(signs, own), beta)));
      pass.metric(ACCURACY, mean(op.cast(op.greater(gains, scalar("zero", 0)), FLOAT32)));
      return mean(op.multiply(weights, missed(op.multiply(gains, beta))));
    }

    private Tensor point(Tensor mismatched) {
      return op.stopGradient(op.maximum(mean(mismatched), scalar("zero", 0)));
    }

    /** {@code 1 - sigmoid(x)}: of the two choices 0 and {@code x}, the first one's share. */
    private Tensor missed(Tensor x) {
      Tensor column = op.reshape(x, Shape.of(judged, Dimension.of(1)));
      Tensor choices = op.multiply(column, op.graph().constant("choices", Shape.of(1, 2), 0f, 1f));
      return column(op.softmax(choices), "own", 1, 0);
    }

    /** Of twos, one: to [judged]. */
    private Tensor column(Tensor values, String name, float first, float second) {
      Tensor twos = op.reshape(values, Shape.of(judged, Dimension.of(2)));
      Tensor chosen = op.graph().constant(name, Shape.of(2), first, second);
      return op.reshape(op.sum(op.multiply(twos, chosen), 1), Shape.of(judged));
    }

    private Tensor mean(Tensor values) {
      Tensor count = op.reshape(op.cast(op.extent(judged), FLOAT32), Shape.SCALAR);
      return op.divide(op.sum(values), count);
    }

    private Tensor scalar(String name, double value) {
      return op.graph().constant(name, Shape.SCALAR, (float) value);
    }
  }
}

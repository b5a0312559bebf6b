package io.minimind.preference;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.files.ArgumentException;
import io.minimind.graph.Tensor;
import java.util.List;

/**
 * Direct preference optimization (Rafailov et al. 2023) and its kin: of two answers to a prompt,
 * the chosen one becomes more probable than the rejected one, in most variants measured against a
 * reference model. Groups are pairs: a chosen row, then its rejected row. The metrics are means
 * over the pairs; an answer's reward is {@code beta} times the logarithm of how much more probable
 * it is than it was to the reference, or what its variant puts in the place of that, and accuracy
 * is the share of pairs whose chosen answer has the higher reward.
 *
 * @param beta above 0; the lower, the further the model may move away from the reference, or the
 *     less a variant without one minds the pairs
 * @param labelSmoothing the share of pairs whose labels are taken to be the wrong way round, in [0,
 *     0.5); only {@link Variant#SIGMOID} knows it
 */
public record PreferenceObjective(double beta, double labelSmoothing, Variant variant)
    implements Objective {

  public static final PreferenceObjective DEFAULT =
      new PreferenceObjective(0.1, 0, Variant.SIGMOID);

  /** The log-probability of each row's answer under the reference model. */
  public static final BatchInput REFERENCE =
      BatchInput.floats("reference_log_probabilities", Extent.ROW);

  /** The output that gives the log-probability of each row's answer, [rows]. */
  public static final String LOG_PROBABILITIES = AnswerLogProbabilities.OUTPUT;

  public static final String MARGIN = "reward_margin";
  public static final String ACCURACY = "reward_accuracy";
  public static final String CHOSEN = "chosen_log_probability";
  public static final String REJECTED = "rejected_log_probability";

  /** The loss of a pair, given the margin by which the chosen answer's reward is higher. */
  public enum Variant {
    /** {@code -log sigmoid(margin)}. */
    SIGMOID,
    /**
     * {@code (difference - 1 / (2 beta))²}, where the difference is that of the log-ratios, each
     * averaged over the answer's tokens (Azar et al. 2023, "IPO").
     */
    IPO,
    /** {@code max(0, 1 - margin)} (Zhao et al. 2023, "SLiC"). */
    HINGE,
    /**
     * {@code -log sigmoid(margin - beta / 2)} without a reference: the reward is {@code beta} times
     * the log-probability averaged over the answer's tokens (Meng et al. 2024, "SimPO").
     */
    SIMPO,
    /**
     * The cross entropy of the chosen answer, averaged over its tokens, and {@code beta} times
     * {@code -log sigmoid(difference)} without a reference, where the difference is that of the
     * log-odds {@code log(p / (1 - p))}, {@code p} being the answer's probability averaged over its
     * tokens (Hong et al. 2024, "ORPO").
     */
    ORPO;

    /** Whether answers are measured against a reference model. */
    public boolean hasReference() {
      return this != SIMPO && this != ORPO;
    }
  }

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public PreferenceObjective {
    if (!(beta > 0) || Double.isInfinite(beta)) {
      throw new ArgumentException("Beta must be a number above 0, but is " + beta + ".");
    }
    if (!(labelSmoothing >= 0 && labelSmoothing < 0.5)) {
      throw new ArgumentException(
          "The label smoothing must be at least 0 and less than 0.5, but is "
              + labelSmoothing
              + ".");
    }
    if (labelSmoothing > 0 && variant != Variant.SIGMOID) {
      throw new ArgumentException(
          "Label smoothing goes with the variant sigmoid only: leave it out, or choose sigmoid.");
    }
  }

  @Override
  public List<BatchInput> inputs() {
    return variant.hasReference() ? List.of(REFERENCE) : List.of();
  }

  @Override
  public int groupSize() {
    return 2;
  }

  @Override
  public List<Metric> metrics() {
    return List.of(
        new Metric(MARGIN, Extent.GROUP),
        new Metric(ACCURACY, Extent.GROUP),
        new Metric(CHOSEN, Extent.GROUP),
        new Metric(REJECTED, Extent.GROUP));
  }

  @Override
  public Extent lossOver() {
    return Extent.GROUP;
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    return new PreferenceLoss(pass, this).of(AnswerLogProbabilities.of(pass));
  }
}

package io.minimind.policy;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.files.ArgumentException;
import io.minimind.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What answers that the model wrote itself teach it: tokens with an advantage become more probable,
 * those with a negative one less, and none far from what a reference model thinks. Rows are a
 * prompt and an answer, whose tokens are the targets.
 *
 * <p>With {@code ρ} the probability of a token over that when it was written, {@code A} its
 * advantage, and {@code kl = e^d - d - 1} where {@code d} is the logarithm of its probability to
 * the reference over that to the model (Schulman 2020, "Approximating KL Divergence").
 *
 * <p>The loss is that of the variant, less the mean reward of the rows. The reward has no gradient;
 * it is there so that the loss of a run and of its validation says what is sought, since a
 * surrogate that is always taken where the weights are is next to 0.
 *
 * @param clip how far {@code ρ} may be from 1, above 0
 * @param mostWeight of a token under {@link Variant#CISPO}, above 0
 * @param beta the weight of {@code kl}, at least 0; with 0 there is no reference
 * @param fresh whether answers are learnt from before the weights change, so that {@code ρ} is 1
 *     and {@link #WRITTEN} is not read
 */
public record PolicyObjective(
    Variant variant, double clip, double mostWeight, double beta, boolean fresh)
    implements Objective {

  /** Of GRPO, as MiniMind has it. */
  public static final PolicyObjective DEFAULT =
      new PolicyObjective(Variant.CISPO, 0.2, 5, 0.1, true);

  /** How much better a token's answer was than expected. */
  public static final BatchInput ADVANTAGES = BatchInput.floats("advantages", Extent.TOKEN);

  /** The logarithm of each token's probability when it was written. */
  public static final BatchInput WRITTEN =
      BatchInput.floats("written_log_probabilities", Extent.TOKEN);

  /** The logarithm of each token's probability to the reference. */
  public static final BatchInput REFERENCE =
      BatchInput.floats("reference_log_probabilities", Extent.TOKEN);

  /** What each row's answer was worth. */
  public static final BatchInput REWARDS = BatchInput.floats("rewards", Extent.ROW);

  /** The output that gives the logarithm of each label's probability, [tokens]. */
  public static final String LOG_PROBABILITIES = TokenLogProbabilities.OUTPUT;

  /** The output that gives {@code ρ}, [tokens]. */
  public static final String RATIOS = "probability_ratios";

  /** The output that gives {@code kl}, [tokens]. */
  public static final String TOKEN_KL = "token_kl";

  /** The output that gives the losses, [tokens]. */
  public static final String TOKEN_LOSSES = "token_losses";

  public static final String REWARD = "reward";
  public static final String KL = "kl";
  public static final String CLIPPED = "clipped";
  public static final String LENGTH = "answer_length";

  /** How tokens are weighted. */
  public enum Variant {
    /**
     * {@code -min(ρ A, clip(ρ) A) + beta kl}, of each row the mean over its tokens (Shao et al.
     * 2024, "DeepSeekMath").
     */
    GRPO,
    /**
     * {@code -min(ρ, most weight) A log π + beta kl}, where no gradient flows through the weight
     * (MiniMax 2025, "MiniMax-M1"), averaged as in GRPO.
     */
    CISPO,
    /** As GRPO, but the mean is over the tokens of all rows (Schulman et al. 2017). */
    PPO
  }

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public PolicyObjective {
    if (!(clip > 0) || Double.isInfinite(clip)) {
      throw new ArgumentException("The clip must be a number above 0, but is " + clip + ".");
    }
    if (!(mostWeight > 0) || Double.isInfinite(mostWeight)) {
      throw new ArgumentException(
          "The most that a token weighs must be a number above 0, but is " + mostWeight + ".");
    }
    if (!(beta >= 0) || Double.isInfinite(beta)) {
      throw new ArgumentException("Beta must be a number of at least 0, but is " + beta + ".");
    }
  }

  @Override
  public List<BatchInput> inputs() {
    List<BatchInput> inputs = new ArrayList<>(List.of(ADVANTAGES, REWARDS));
    if (!fresh) {
      inputs.add(WRITTEN);
    }
    if (beta > 0) {
      inputs.add(REFERENCE);
    }
    return inputs;
  }

  @Override
  public List<Metric> metrics() {
    List<Metric> metrics = new ArrayList<>();
    metrics.add(new Metric(REWARD, Extent.ROW));
    metrics.add(new Metric(LENGTH, Extent.ROW));
    if (beta > 0) {
      metrics.add(new Metric(KL, Extent.TOKEN));
    }
    if (!fresh) {
      metrics.add(new Metric(CLIPPED, Extent.TOKEN));
    }
    return metrics;
  }

  @Override
  public Extent lossOver() {
    return Extent.ROW;
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    return new PolicyLoss(pass, this).of();
  }
}

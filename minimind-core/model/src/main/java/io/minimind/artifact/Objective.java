package io.minimind.artifact;

import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;

/** What a model learns: the loss that the training graphs compute, and what they report with it. */
public sealed interface Objective {

  /** The names of the scalars that a step reports besides the loss. */
  List<String> metrics();

  /**
   * A loss of each token, of which the mean over the unmasked positions is learnt. Implement it to
   * train with a loss of your own: what is built from {@link Operators} has its gradient.
   */
  non-sealed interface PerToken extends Objective {

    /** No label has this value: the mask decides what counts, whatever the label. */
    long NO_LABEL = -100;

    /**
     * Adds the nodes that compute the loss.
     *
     * @param logits float32 [tokens, vocabulary]
     * @param labels int64 [tokens], ids of the vocabulary, also where the mask is 0
     * @return float32 [tokens], finite for every label
     */
    Tensor losses(Operators op, Tensor logits, Tensor labels);

    @Override
    default List<String> metrics() {
      return List.of();
    }
  }

  /** The next token: cross entropy. */
  record NextToken() implements PerToken {
    @Override
    public Tensor losses(Operators op, Tensor logits, Tensor labels) {
      return op.crossEntropy(logits, labels, NO_LABEL);
    }
  }

  /**
   * Direct preference optimization (Rafailov et al. 2023): of two answers to a prompt, the chosen
   * one becomes more probable than the rejected one, measured against a reference model. Batches
   * hold pairs: a chosen row, then its rejected row. The metrics are means over the pairs; an
   * answer's reward is {@code beta} times the logarithm of how much more probable it is than it was
   * to the reference, and accuracy is the share of pairs whose chosen answer has the higher reward.
   *
   * @param beta above 0; the lower, the further the model may move away from the reference
   * @param labelSmoothing the share of pairs whose labels are taken to be the wrong way round, in
   *     [0, 0.5); only {@link Variant#SIGMOID} knows it
   */
  record Preference(double beta, double labelSmoothing, Variant variant) implements Objective {

    public static final Preference DEFAULT = new Preference(0.1, 0, Variant.SIGMOID);

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
      HINGE
    }

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Preference {
      if (!(beta > 0) || Double.isInfinite(beta)) {
        throw new IllegalArgumentException("Beta must be a number above 0, but is " + beta + ".");
      }
      if (!(labelSmoothing >= 0 && labelSmoothing < 0.5)) {
        throw new IllegalArgumentException(
            "The label smoothing must be at least 0 and less than 0.5, but is "
                + labelSmoothing
                + ".");
      }
      if (labelSmoothing > 0 && variant != Variant.SIGMOID) {
        throw new IllegalArgumentException(
            "Label smoothing goes with the variant sigmoid only: leave it out, or choose sigmoid.");
      }
    }

    @Override
    public List<String> metrics() {
      return List.of(MARGIN, ACCURACY, CHOSEN, REJECTED);
    }
  }
}

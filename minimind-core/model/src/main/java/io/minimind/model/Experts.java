package io.minimind.model;

import io.minimind.files.ArgumentException;

/**
 * The mixture of experts that the feed-forward layers of a model are: of several such layers a
 * router chooses some for each token.
 *
 * @param routed experts to choose from; 0 for a model without a mixture
 * @param perToken how many the router chooses for each token, 1 to {@code routed}
 * @param shared experts that every token passes through besides, 0 or 1
 * @param renormalised whether the weights of the chosen ones are divided by their sum
 * @param balance the loss that keeps the router from always choosing the same experts
 */
public record Experts(int routed, int perToken, int shared, boolean renormalised, Balance balance) {

  /**
   * The balance loss of a layer: {@code weight · experts} times the sum over the experts of the
   * share of tokens that chose the expert and the mean of its probabilities.
   *
   * @param weight called alpha; 0 to train without
   * @param scope what share and mean are taken over
   */
  public record Balance(double weight, Scope scope) {

    /** Of which tokens. */
    public enum Scope {
      /**
       * Each row alone, then the mean over the rows; the share is of all choices (Dai et al. 2024,
       * "DeepSeekMoE").
       */
      ROW,
      /**
       * All tokens of a batch together, padding too; of {@code k} choices the shares add up to
       * {@code k} (Fedus et al. 2021, "Switch Transformers").
       */
      BATCH
    }

    public static final Balance NONE = new Balance(0, Scope.ROW);

    /**
     * @throws IllegalArgumentException if the weight is negative or no number
     */
    public Balance {
      if (!(weight >= 0 && Double.isFinite(weight))) {
        throw new ArgumentException("aux_loss_alpha must be at least 0, but is " + weight + ".");
      }
    }
  }

  /** One feed-forward layer in each block, without a router. */
  public static final Experts NONE = new Experts(0, 0, 0, false, Balance.NONE);

  /** The weight of the balance loss that MiniMind's first version chose. */
  public static final double BALANCE = 0.01;

  /** That of its third version. */
  private static final double BALANCE_3 = 5e-4;

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public Experts {
    if (routed < 0) {
      throw new ArgumentException("n_routed_experts must be at least 0, but is " + routed + ".");
    }
    int fewest = Math.min(routed, 1);
    if (perToken < fewest || perToken > routed) {
      throw new ArgumentException(
          "num_experts_per_tok must be at least %d and at most n_routed_experts, %d, but is %d."
              .formatted(fewest, routed, perToken));
    }
    if (shared < 0 || shared > Math.min(routed, 1)) {
      throw new ArgumentException(
          "n_shared_experts must be 0 or, beside experts to choose from, 1, but is %d."
              .formatted(shared));
    }
  }

  /**
   * The choices of MiniMind's first version for what is not given: two experts for each token, or
   * one where there is no other, one that all share, and the balance loss.
   *
   * @param routed experts to choose from; 0 for a model without a mixture
   */
  public static Experts of(int routed) {
    return routed == 0 ? NONE : of(routed, Math.min(routed, 2), 1, BALANCE);
  }

  /**
   * A mixture that is balanced row by row, and renormalised where a token has several experts.
   *
   * @param balance the weight of its loss
   */
  public static Experts of(int routed, int perToken, int shared, double balance) {
    return new Experts(
        routed, perToken, shared, perToken > 1, new Balance(balance, Balance.Scope.ROW));
  }

  /**
   * The choices of MiniMind's third version: one expert for each token, whose weight is 1, none
   * that all share, and the balance loss over the batch.
   *
   * @param routed experts to choose from; 0 for a model without a mixture
   */
  public static Experts minimind3(int routed) {
    return routed == 0
        ? NONE
        : new Experts(routed, 1, 0, true, new Balance(BALANCE_3, Balance.Scope.BATCH));
  }

  /** Whether the model has a mixture. */
  public boolean isMixture() {
    return routed > 0;
  }

  /** The same mixture, its balance loss with another weight. */
  public Experts withBalance(double weight) {
    return new Experts(
        routed, perToken, shared, renormalised, new Balance(weight, balance.scope()));
  }
}

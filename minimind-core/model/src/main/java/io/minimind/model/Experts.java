package io.minimind.model;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import io.minimind.files.ArgumentException;

/**
 * The mixture of experts that the feed-forward layers of a model are: of several such layers a gate
 * chooses some for each token. In {@code config.json} it uses the field names of DeepSeek's
 * configuration; a model without a mixture has none of them.
 *
 * @param routed experts to choose from; 0 for a model without a mixture
 * @param perToken how many the gate chooses for each token, 1 to {@code routed}
 * @param shared experts that every token passes through besides, 0 or 1
 * @param balance factor, called alpha, of the loss that keeps the gate from always choosing the
 *     same experts; 0 to train without it
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
@JsonDeserialize(builder = Experts.Builder.class)
public record Experts(
    @JsonProperty(ROUTED) int routed,
    @JsonProperty(PER_TOKEN) int perToken,
    @JsonProperty(SHARED) int shared,
    @JsonProperty(BALANCE_WEIGHT) double balance) {

  private static final String ROUTED = "n_routed_experts";
  private static final String PER_TOKEN = "num_experts_per_tok";
  private static final String SHARED = "n_shared_experts";
  private static final String BALANCE_WEIGHT = "aux_loss_alpha";

  /** One feed-forward layer in each block, without a gate. */
  public static final Experts NONE = new Experts(0, 0, 0, 0);

  /** The factor of the balance loss that MiniMind chose. */
  public static final double BALANCE = 0.01;

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
    if (!(balance >= 0 && Double.isFinite(balance))) {
      throw new ArgumentException("aux_loss_alpha must be at least 0, but is " + balance + ".");
    }
  }

  /**
   * MiniMind's choices for what is not given: two experts for each token, or one where there is no
   * other, one that all share, and the balance loss.
   *
   * @param routed experts to choose from; 0 for a model without a mixture
   */
  public static Experts of(int routed) {
    return routed == 0 ? NONE : new Experts(routed, Math.min(routed, 2), 1, BALANCE);
  }

  /** Whether the model has a mixture. */
  @JsonIgnore
  public boolean isMixture() {
    return routed > 0;
  }

  /** Experts of a block. */
  long all() {
    return (long) routed + shared;
  }

  /** The same mixture, balanced by another factor. */
  public Experts withBalance(double balance) {
    return new Experts(routed, perToken, shared, balance);
  }

  /** What reads JSON: a field that is missing is 0, also to mappers that want every field. */
  static final class Builder {
    @JsonProperty(ROUTED)
    private int routed;

    @JsonProperty(PER_TOKEN)
    private int perToken;

    @JsonProperty(SHARED)
    private int shared;

    @JsonProperty(BALANCE_WEIGHT)
    private double balance;

    Experts build() {
      return new Experts(routed, perToken, shared, balance);
    }
  }
}

package io.minimind.artifact;

import io.minimind.files.ArgumentException;

/**
 * AdamW (Loshchilov and Hutter 2019; with weight decay 0 it is Adam) and gradient clipping.
 *
 * @param beta1 decay of the first moment, in [0, 1)
 * @param beta2 decay of the second moment, in [0, 1)
 * @param epsilon added to the square root of the second moment, above 0
 * @param weightDecay at least 0
 * @param maxGradientNorm gradients are scaled down together so that their norm is at most this;
 *     infinity leaves them alone
 */
public record OptimizerSettings(
    float beta1, float beta2, float epsilon, float weightDecay, float maxGradientNorm) {

  /** MiniMind's choice: Adam without weight decay, gradients clipped to a norm of 1. */
  public static final OptimizerSettings DEFAULT = new OptimizerSettings(0.9f, 0.999f, 1e-8f, 0, 1);

  public OptimizerSettings {
    if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
      throw new ArgumentException(
          "Adam's betas must lie in [0, 1), but are " + beta1 + " and " + beta2 + ".");
    }
    if (!(epsilon > 0)) {
      throw new ArgumentException("Adam's epsilon must be above 0, but is " + epsilon + ".");
    }
    if (!(weightDecay >= 0)) {
      throw new ArgumentException(
          "The weight decay must be at least 0, but is " + weightDecay + ".");
    }
    if (!(maxGradientNorm > 0)) {
      throw new ArgumentException(
          "The largest gradient norm must be above 0, but is " + maxGradientNorm + ".");
    }
  }

  public OptimizerSettings withWeightDecay(float weightDecay) {
    return new OptimizerSettings(beta1, beta2, epsilon, weightDecay, maxGradientNorm);
  }

  public OptimizerSettings withMaxGradientNorm(float maxGradientNorm) {
    return new OptimizerSettings(beta1, beta2, epsilon, weightDecay, maxGradientNorm);
  }
}

package io.minimind.train;

import io.minimind.files.ArgumentException;

/**
 * The factor by which the loss is scaled up where gradients are float16, so that small ones do not
 * become 0. It is as large as the gradients allow: an update whose gradients overflow is skipped
 * and halves it, and after {@value #GOOD_UPDATES} good ones in a row it is tried doubled, as
 * PyTorch's {@code GradScaler} does (Micikevicius et al. 2018, "Mixed Precision Training", section
 * 3.2).
 *
 * @param factor a power of two, at least 1, so that scaling rounds nothing
 * @param goodUpdates since the factor last changed
 */
public record LossScale(float factor, int goodUpdates) {

  static final int GOOD_UPDATES = 2000;

  public static final LossScale START = new LossScale(65536, 0);

  /**
   * @throws IllegalArgumentException if the factor is no power of two from 1 on
   */
  public LossScale {
    boolean power = Math.scalb(1f, Math.getExponent(factor)) == factor;
    if (!(factor >= 1) || !power || Float.isInfinite(factor)) {
      throw new ArgumentException(
          "A loss scale must be a power of two from 1 on, but is " + factor + ".");
    }
  }

  /** After an update. */
  LossScale kept() {
    return goodUpdates + 1 < GOOD_UPDATES
        ? new LossScale(factor, goodUpdates + 1)
        : new LossScale(2 * factor, 0);
  }

  /** Whether it can be lower: if not, overflowing gradients have another reason. */
  boolean canBeLower() {
    return factor > 1;
  }

  /** After gradients that overflowed. */
  LossScale lowered() {
    return new LossScale(Math.max(1, factor / 2), 0);
  }
}

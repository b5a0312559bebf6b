package io.minimind.train;

import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Where a run is, always between two updates.
 *
 * @param epoch the epoch of the next micro-batch, from 0
 * @param batch the next micro-batch of that epoch, from 0
 * @param update updates made
 * @param tokens unmasked tokens learnt from
 * @param seconds spent training, in all sessions together
 * @param validationLoss of these very weights, if they were validated
 * @param bestValidationLoss the lowest so far
 * @param lossScale of a run in float16
 */
public record TrainingState(
    int epoch,
    long batch,
    long update,
    long tokens,
    double seconds,
    OptionalDouble validationLoss,
    OptionalDouble bestValidationLoss,
    Optional<LossScale> lossScale) {

  public static final TrainingState START =
      new TrainingState(
          0, 0, 0, 0, 0, OptionalDouble.empty(), OptionalDouble.empty(), Optional.empty());

  /**
   * The factor by which the loss is scaled up where gradients are float16, so that small ones do
   * not become 0. It is as large as the gradients allow: an update whose gradients overflow is
   * skipped and halves it, and after {@value #GOOD_UPDATES} good ones in a row it is tried doubled,
   * as PyTorch's {@code GradScaler} does (Micikevicius et al. 2018, "Mixed Precision Training",
   * section 3.2).
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

  /**
   * @throws com.fasterxml.jackson.core.JsonProcessingException if the JSON is broken or lacks
   *     something that states of earlier versions have too
   */
  static TrainingState fromJson(byte[] json) throws IOException {
    return Json.MAPPER.readValue(json, TrainingState.class);
  }

  /** The state after one more update. */
  TrainingState advanced(
      long micro,
      long batchesPerEpoch,
      long newTokens,
      double newSeconds,
      Optional<LossScale> newLossScale) {
    boolean epochEnds = batch + micro == batchesPerEpoch;
    return new TrainingState(
        epochEnds ? epoch + 1 : epoch,
        epochEnds ? 0 : batch + micro,
        update + 1,
        tokens + newTokens,
        seconds + newSeconds,
        OptionalDouble.empty(),
        bestValidationLoss,
        newLossScale);
  }

  TrainingState validated(double loss) {
    double best = Math.min(loss, bestValidationLoss.orElse(loss));
    return new TrainingState(
        epoch,
        batch,
        update,
        tokens,
        seconds,
        OptionalDouble.of(loss),
        OptionalDouble.of(best),
        lossScale);
  }

  /** Whether these weights have the lowest validation loss so far. */
  public boolean hasBestValidation() {
    return validationLoss.isPresent()
        && validationLoss.getAsDouble() == bestValidationLoss.getAsDouble();
  }
}

package io.minimind.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
   * @throws com.fasterxml.jackson.core.JsonProcessingException if the JSON is broken or lacks
   *     something that states of earlier versions have too
   */
  static TrainingState fromJson(byte[] json) throws IOException {
    JsonNode state = Json.MAPPER.readTree(json);
    if (state instanceof ObjectNode object && !object.has("lossScale")) {
      object.putNull("lossScale");
      return Json.MAPPER.treeToValue(object, TrainingState.class);
    }
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

package io.minimind.train;

/**
 * Linear warm-up, then half a cosine from the highest rate down to a tenth of it (Loshchilov and
 * Hutter 2017, "SGDR").
 *
 * @param highest the rate after the warm-up
 * @param warmupSteps steps of the warm-up
 * @param totalSteps steps of the whole run
 */
public record LearningRateSchedule(float highest, long warmupSteps, long totalSteps) {

  /** The rate of a step, counted from 0. */
  public float at(long step) {
    if (step < warmupSteps) {
      return (float) ((double) highest * (step + 1) / (warmupSteps + 1));
    }
    double lowest = highest / 10.0;
    double progress = Math.min(1, (step - warmupSteps) / Math.max(1.0, totalSteps - warmupSteps));
    return (float) (lowest + 0.5 * (1 + Math.cos(Math.PI * progress)) * (highest - lowest));
  }
}

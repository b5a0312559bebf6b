package io.minimind.train;

/**
 * How the learning rate goes through a run: linearly up in the warm-up, then as an implementation
 * says. It is a value, such as a record, whose fields are kept in {@code settings.json} together
 * with its name; {@link Schedules} has those of this project, and a {@link Catalog} tells of
 * others.
 */
public interface LearningRateSchedule {

  /** Tells its class from others in {@code settings.json}; it never changes. */
  String name();

  /**
   * The rate after the warm-up.
   *
   * @param progress the share of the steps after the warm-up that are done, in [0, 1]
   * @param highest the rate at the end of the warm-up
   * @return above 0
   */
  double rate(double progress, double highest);

  /**
   * The rate of a step.
   *
   * @param step counted from 0
   * @param highest the rate after the warm-up
   * @param warmupSteps steps of the warm-up
   * @param totalSteps steps of the whole run
   */
  default float at(long step, float highest, long warmupSteps, long totalSteps) {
    if (step < warmupSteps) {
      return (float) ((double) highest * (step + 1) / (warmupSteps + 1));
    }
    double progress = Math.min(1, (step - warmupSteps) / Math.max(1.0, totalSteps - warmupSteps));
    return (float) rate(progress, highest);
  }
}

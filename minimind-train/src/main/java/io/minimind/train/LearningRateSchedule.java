package io.minimind.train;

/**
 * How the learning rate goes through a run: linearly up in the warm-up, then as an implementation
 * says. It is a value, such as a record, whose fields are kept in {@code settings.json} together
 * with its name. Those of this project are made below; a {@link Catalog} tells of others.
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

  /**
   * Half a cosine from the highest rate down to a tenth of it (Loshchilov and Hutter 2017, "SGDR").
   */
  static LearningRateSchedule cosine() {
    return new Schedules.Cosine();
  }

  /** Down to {@code lowest} times the highest rate at the last step, in a straight line. */
  static LearningRateSchedule linear(double lowest) {
    return new Schedules.Linear(lowest);
  }

  /** The highest rate from the warm-up on. */
  static LearningRateSchedule constant() {
    return new Schedules.Constant();
  }

  /**
   * The highest rate, and in the last part of the run a straight line down (Hu et al. 2024,
   * "MiniCPM").
   *
   * @param decay the share of the steps after the warm-up in which the rate falls, in (0, 1]
   * @param lowest what it falls to at the last step, as a share of the highest rate, in [0, 1]
   */
  static LearningRateSchedule warmupStableDecay(double decay, double lowest) {
    return new Schedules.WarmupStableDecay(decay, lowest);
  }
}

package io.minimind.policy;

import java.util.Arrays;
import java.util.DoubleSummaryStatistics;

/** How much better each answer is than what was to be expected. */
public final class Advantages {

  private static final double TINY = 1e-4;

  private Advantages() {}

  /**
   * Against the others of its group: how many standard deviations above their mean a reward is
   * (Shao et al. 2024). Where all are the same, 0.
   *
   * @param rewards of one group after the other
   */
  public static float[] ofGroups(double[] rewards, int size) {
    float[] advantages = new float[rewards.length];
    for (int start = 0; start < rewards.length; start += size) {
      DoubleSummaryStatistics group =
          Arrays.stream(rewards, start, start + size).summaryStatistics();
      if (group.getMin() == group.getMax()) {
        continue; // Their mean may be off by a rounding, of which Adam would make whole steps.
      }
      double variance = 0;
      for (int i = start; i < start + size; i++) {
        variance += Math.pow(rewards[i] - group.getAverage(), 2) / size;
      }
      for (int i = start; i < start + size; i++) {
        advantages[i] = (float) ((rewards[i] - group.getAverage()) / (Math.sqrt(variance) + TINY));
      }
    }
    return advantages;
  }
}

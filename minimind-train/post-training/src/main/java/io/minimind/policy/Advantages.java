package io.minimind.policy;

import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;

/** How much better each answer is than what was to be expected. */
final class Advantages {

  private static final double TINY = 1e-4;
  private static final double TINY_VARIANCE = 1e-8;

  private Advantages() {}

  /**
   * Against the others of its group: how many standard deviations above their mean a reward is
   * (Shao et al. 2024). Where all are the same, 0.
   *
   * @param rewards of one group after the other
   */
  static float[] ofGroups(double[] rewards, int size) {
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

  /**
   * Generalized advantage estimation of one answer (Schulman et al. 2016), whose reward comes with
   * its last token: {@code A_t = δ_t + γ λ A_(t+1)} with {@code δ_t = r_t + γ V_(t+1) - V_t}.
   * Returns are {@code A + V}.
   *
   * @param values what the critic thinks at each token
   */
  static float[] ofTokens(double reward, float[] values, double gamma, double lambda) {
    float[] advantages = new float[values.length];
    double next = 0;
    double valueAfter = 0;
    for (int i = values.length - 1; i >= 0; i--) {
      double obtained = i == values.length - 1 ? reward : 0;
      next = obtained + gamma * valueAfter - values[i] + gamma * lambda * next;
      valueAfter = values[i];
      advantages[i] = (float) next;
    }
    return advantages;
  }

  /** All together moved to a mean of 0 and a variance of 1. */
  static void whiten(List<float[]> advantages) {
    double sum = 0;
    double squares = 0;
    long count = 0;
    for (float[] some : advantages) {
      for (float advantage : some) {
        sum += advantage;
        count++;
      }
    }
    double mean = sum / Math.max(1, count);
    for (float[] some : advantages) {
      for (float advantage : some) {
        squares += (advantage - mean) * (advantage - mean);
      }
    }
    double deviation = Math.sqrt(squares / Math.max(1, count) + TINY_VARIANCE);
    for (float[] some : advantages) {
      for (int i = 0; i < some.length; i++) {
        some[i] = (float) ((some[i] - mean) / deviation);
      }
    }
  }
}

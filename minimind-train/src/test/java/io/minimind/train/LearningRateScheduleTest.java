package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class LearningRateScheduleTest {

  @Property
  void risesLinearlyToTheHighest(
      @ForAll @IntRange(min = 1, max = 1_000_000) int millionths,
      @ForAll @IntRange(max = 500) int warmup,
      @ForAll @IntRange(min = 1, max = 500) int rest) {
    float highest = millionths / 1e6f;
    LearningRateSchedule schedule = new LearningRateSchedule(highest, warmup, warmup + rest);
    float first = schedule.at(0);
    assertTrue(first > 0);
    for (int step = 0; step < warmup; step++) {
      assertEquals(first * (step + 1.0), schedule.at(step), 1e-6 * highest);
    }
    assertEquals(first * (warmup + 1.0), schedule.at(warmup), 1e-6 * highest);
    assertEquals(highest, schedule.at(warmup));
  }

  @Property
  void fallsToATenthWithoutRising(
      @ForAll @IntRange(min = 1, max = 1_000_000) int millionths,
      @ForAll @LongRange(max = 50) long warmup,
      @ForAll @LongRange(min = 1, max = 1000) long rest) {
    float highest = millionths / 1e6f;
    LearningRateSchedule schedule = new LearningRateSchedule(highest, warmup, warmup + rest);
    float last = highest;
    for (long step = warmup; step <= warmup + rest; step++) {
      float rate = schedule.at(step);
      assertTrue(rate <= last, rate + " after " + last);
      last = rate;
    }
    assertEquals(highest / 10, last, 1e-6f * highest);
    assertEquals(last, schedule.at(warmup + 10 * rest), "and stays there");
  }

  /** Half a cosine is as far above its middle as, mirrored, below it. */
  @Property
  void isSymmetricAroundItsMiddle(
      @ForAll @IntRange(max = 50) int warmup, @ForAll @IntRange(min = 1, max = 1000) int rest) {
    LearningRateSchedule schedule = new LearningRateSchedule(1, warmup, warmup + rest);
    for (int step = 0; step <= rest; step++) {
      assertEquals(1.1, schedule.at(warmup + step) + schedule.at(warmup + rest - step), 1e-6);
    }
    double third = 0.1 + 0.9 * 0.75;
    assertEquals(third, new LearningRateSchedule(1, 0, 3 * rest).at(rest), 1e-6);
  }

  /** A warm-up that is longer than the run never reaches the highest rate. */
  @Property
  void isPositiveAndNeverAboveTheHighest(
      @ForAll @LongRange(max = 1000) long warmup,
      @ForAll @LongRange(min = 1, max = 1000) long total) {
    LearningRateSchedule schedule = new LearningRateSchedule(0.01f, warmup, total);
    for (long step = 0; step < total; step++) {
      float rate = schedule.at(step);
      assertTrue(rate > 0 && rate <= 0.01f, rate + " at " + step);
    }
  }
}

package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {

  private static final LearningRateSchedule COSINE = LearningRateSchedule.cosine();

  @Provide
  Arbitrary<LearningRateSchedule> schedules() {
    return Arbitraries.of(
        COSINE,
        LearningRateSchedule.linear(0.1),
        LearningRateSchedule.linear(1),
        LearningRateSchedule.constant(),
        LearningRateSchedule.warmupStableDecay(0.2, 0.05),
        LearningRateSchedule.warmupStableDecay(1, 0.5));
  }

  @Property
  void risesLinearlyToTheHighest(
      @ForAll("schedules") LearningRateSchedule schedule,
      @ForAll @IntRange(min = 1, max = 1_000_000) int millionths,
      @ForAll @IntRange(max = 500) int warmup,
      @ForAll @IntRange(min = 1, max = 500) int rest) {
    float highest = millionths / 1e6f;
    float first = schedule.at(0, highest, warmup, warmup + rest);
    assertTrue(first > 0);
    for (int step = 0; step < warmup; step++) {
      float rate = schedule.at(step, highest, warmup, warmup + rest);
      assertEquals(first * (step + 1.0), rate, 1e-6 * highest);
    }
    float last = schedule.at(warmup, highest, warmup, warmup + rest);
    assertEquals(first * (warmup + 1.0), last, 1e-6 * highest);
    assertEquals(highest, last);
  }

  /** Loshchilov and Hutter 2017, equation 5, in the order of operations of PyTorch's MiniMind. */
  @Property
  void cosineIsThatOfTheOriginalToTheBit(
      @ForAll @IntRange(min = 1, max = 1_000_000) int millionths,
      @ForAll @LongRange(max = 50) long warmup,
      @ForAll @LongRange(min = 1, max = 1000) long rest,
      @ForAll @LongRange(max = 1000) long after) {
    float highest = millionths / 1e6f;
    double lowest = highest / 10.0;
    double angle = Math.PI * Math.min(1, after / (double) rest);
    float expected = (float) (lowest + 0.5 * (1 + Math.cos(angle)) * (highest - lowest));
    assertEquals(expected, COSINE.at(warmup + after, highest, warmup, warmup + rest));
  }

  @Property
  void cosineFallsToATenthWithoutRising(
      @ForAll @IntRange(min = 1, max = 1_000_000) int millionths,
      @ForAll @LongRange(max = 50) long warmup,
      @ForAll @LongRange(min = 1, max = 1000) long rest) {
    float highest = millionths / 1e6f;
    float last = highest;
    for (long step = warmup; step <= warmup + rest; step++) {
      float rate = COSINE.at(step, highest, warmup, warmup + rest);
      assertTrue(rate <= last, rate + " after " + last);
      last = rate;
    }
    assertEquals(highest / 10, last, 1e-6f * highest);
    float later = COSINE.at(warmup + 10 * rest, highest, warmup, warmup + rest);
    assertEquals(last, later, "and stays there");
  }

  /** Half a cosine is as far above its middle as, mirrored, below it. */
  @Property
  void cosineIsSymmetricAroundItsMiddle(
      @ForAll @IntRange(max = 50) int warmup, @ForAll @IntRange(min = 1, max = 1000) int rest) {
    long total = warmup + rest;
    for (int step = 0; step <= rest; step++) {
      float before = COSINE.at(warmup + step, 1, warmup, total);
      assertEquals(1.1, before + COSINE.at(total - step, 1, warmup, total), 1e-6);
    }
    double third = 0.1 + 0.9 * 0.75;
    assertEquals(third, COSINE.at(rest, 1, 0, 3L * rest), 1e-6);
  }

  @Property
  void linearFallsByTheSameInEveryStep(
      @ForAll @DoubleRange(max = 1) double lowest,
      @ForAll @LongRange(max = 50) long warmup,
      @ForAll @LongRange(min = 1, max = 1000) long rest) {
    LearningRateSchedule linear = LearningRateSchedule.linear(lowest);
    for (long step = 0; step <= rest; step++) {
      double expected = (1.0 * (rest - step) + lowest * step) / rest;
      assertEquals(expected, linear.at(warmup + step, 1, warmup, warmup + rest), 1e-6);
    }
  }

  @Property
  void constantStays(
      @ForAll @LongRange(max = 50) long warmup, @ForAll @LongRange(min = 1, max = 1000) long rest) {
    for (long step = 0; step <= 2 * rest; step++) {
      assertEquals(
          0.3f, LearningRateSchedule.constant().at(warmup + step, 0.3f, warmup, warmup + rest));
    }
  }

  /** 1,000 steps after the warm-up, the last 200 of which fall to a twentieth. */
  @Test
  void theRateIsStableBeforeItDecays() {
    LearningRateSchedule schedule = LearningRateSchedule.warmupStableDecay(0.2, 0.05);
    for (long step : new long[] {10, 500, 810}) {
      assertEquals(2f, schedule.at(step, 2, 10, 1010), 1e-6f);
    }
    assertEquals(2 * (1 - 0.95 / 2), schedule.at(910, 2, 10, 1010), 1e-6f);
    assertEquals(2 * 0.05, schedule.at(1010, 2, 10, 1010), 1e-6f);
    assertEquals(2 * 0.05, schedule.at(5000, 2, 10, 1010), 1e-6f);
  }

  /** A warm-up that is longer than the run never reaches the highest rate. */
  @Property
  void isPositiveAndNeverAboveTheHighest(
      @ForAll("schedules") LearningRateSchedule schedule,
      @ForAll @LongRange(max = 1000) long warmup,
      @ForAll @LongRange(min = 1, max = 1000) long total) {
    for (long step = 0; step < total; step++) {
      float rate = schedule.at(step, 0.01f, warmup, total);
      assertTrue(rate > 0 && rate <= 0.01f, rate + " at " + step);
    }
  }

  @Test
  void sharesThatAreNoneAreRefused() {
    for (double share : List.of(-0.1, 1.1, Double.NaN)) {
      assertThrows(IllegalArgumentException.class, () -> LearningRateSchedule.linear(share));
      assertThrows(
          IllegalArgumentException.class, () -> LearningRateSchedule.warmupStableDecay(share, 0.1));
      assertThrows(
          IllegalArgumentException.class, () -> LearningRateSchedule.warmupStableDecay(0.1, share));
    }
    assertThrows(
        IllegalArgumentException.class, () -> LearningRateSchedule.warmupStableDecay(0, 0.1));
  }
}

package io.minimind.train;

import io.minimind.files.ArgumentException;
import java.util.Map;

/** The learning rate schedules of this project. */
final class Schedules {

  static final Map<String, Class<? extends LearningRateSchedule>> NAMES =
      Map.of(
          Cosine.NAME, Cosine.class,
          Linear.NAME, Linear.class,
          Constant.NAME, Constant.class,
          WarmupStableDecay.NAME, WarmupStableDecay.class);

  private Schedules() {}

  record Cosine() implements LearningRateSchedule {
    static final String NAME = "cosine";

    @Override
    public String name() {
      return NAME;
    }

    @Override
    public double rate(double progress, double highest) {
      double lowest = highest / 10.0;
      return lowest + 0.5 * (1 + Math.cos(Math.PI * progress)) * (highest - lowest);
    }
  }

  record Linear(double lowest) implements LearningRateSchedule {
    static final String NAME = "linear";

    Linear {
      requireShare("lowest learning rate", lowest);
    }

    @Override
    public String name() {
      return NAME;
    }

    @Override
    public double rate(double progress, double highest) {
      return highest * (1 - progress * (1 - lowest));
    }
  }

  record Constant() implements LearningRateSchedule {
    static final String NAME = "constant";

    @Override
    public String name() {
      return NAME;
    }

    @Override
    public double rate(double progress, double highest) {
      return highest;
    }
  }

  record WarmupStableDecay(double decay, double lowest) implements LearningRateSchedule {
    static final String NAME = "warmup-stable-decay";

    WarmupStableDecay {
      requireShare("lowest learning rate", lowest);
      if (!(decay > 0 && decay <= 1)) {
        throw new ArgumentException(
            "The part of the run in which the learning rate falls must be a share above 0 and at most 1, but is %s."
                .formatted(decay));
      }
    }

    @Override
    public String name() {
      return NAME;
    }

    @Override
    public double rate(double progress, double highest) {
      double fallen = Math.max(0, (progress - (1 - decay)) / decay);
      return highest * (1 - fallen * (1 - lowest));
    }
  }

  private static void requireShare(String what, double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new ArgumentException(
          "The %s must be a share of the highest from 0 to 1, but is %s.".formatted(what, share));
    }
  }
}

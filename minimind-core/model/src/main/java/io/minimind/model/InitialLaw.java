package io.minimind.model;

import java.util.Random;

/** The law of a parameter's start values. */
public sealed interface InitialLaw {

  /** The next value. */
  double next(Random random);

  /** The same value everywhere. */
  record Constant(double value) implements InitialLaw {
    @Override
    public double next(Random random) {
      return value;
    }
  }

  /** Normal around 0. */
  record Normal(double deviation) implements InitialLaw {
    @Override
    public double next(Random random) {
      return deviation * random.nextGaussian();
    }
  }

  /** Uniform between {@code -bound} and {@code bound}. */
  record Uniform(double bound) implements InitialLaw {
    @Override
    public double next(Random random) {
      return bound * (2 * random.nextDouble() - 1);
    }
  }
}

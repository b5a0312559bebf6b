package io.minimind.interchange;

import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling;
import io.minimind.model.RotaryScaling.Llama3;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The scaling of Llama 3 as llama.cpp keeps it, {@code rope_freqs.weight}: what the frequency of
 * each pair of channels is divided by.
 */
final class FrequencyDivisors {

  static final String TENSOR = "rope_freqs.weight";

  /** Divisors are float32. */
  private static final double ROUNDING = 1e-5;

  private FrequencyDivisors() {}

  static float[] of(Rotary rotary, int headSize) {
    float[] divisors = new float[headSize / 2];
    for (int pair = 0; pair < divisors.length; pair++) {
      double frequency = frequency(rotary.base(), pair, headSize);
      double scaled = rotary.scaling().frequency(frequency, pair, rotary.base(), headSize);
      divisors[pair] = (float) (frequency / scaled);
    }
    return divisors;
  }

  /**
   * The scaling that has these divisors. Of the four numbers of Llama 3's only three decide them:
   * where frequencies begin to be divided, where all of it is, and by what; so {@code lowFactor} is
   * 1.
   *
   * @throws IOException if no scaling of Llama 3 has these divisors
   */
  static RotaryScaling scaling(float[] divisors, double base, int headSize) throws IOException {
    double factor = 1;
    for (float divisor : divisors) {
      factor = Math.max(factor, divisor);
    }
    if (divisors.length == headSize / 2 && factor > 1) {
      for (Llama3 candidate : candidates(divisors, factor, base, headSize)) {
        if (has(candidate, divisors, base, headSize)) {
          return candidate;
        }
      }
    }
    throw new IOException(
        "The tensor %s scales rotary frequencies in another way than Llama 3 does, which cannot be computed."
            .formatted(TENSOR));
  }

  /** The share of a frequency that stays is a line over the frequency. */
  private static List<Llama3> candidates(
      float[] divisors, double factor, double base, int headSize) {
    List<double[]> between = new ArrayList<>();
    double lastKept = 1;
    for (int pair = 0; pair < divisors.length; pair++) {
      double frequency = frequency(base, pair, headSize);
      double kept = (1 / divisors[pair] - 1 / factor) / (1 - 1 / factor);
      if (kept > 1 - ROUNDING) {
        lastKept = frequency;
      } else if (kept > ROUNDING) {
        between.add(new double[] {frequency, kept});
      }
    }
    List<Llama3> candidates = new ArrayList<>();
    // That of all models which Meta has published.
    double usual = 4;
    double[] first = between.isEmpty() ? new double[] {lastKept, 1} : between.get(0);
    candidates.add(candidate(factor, usual, 2 * Math.PI * (first[1] * (usual - 1) + 1) / first[0]));
    if (between.size() > 1) {
      double[] last = between.get(between.size() - 1);
      double slope = (first[1] - last[1]) / (first[0] - last[0]);
      double offset = slope * first[0] - first[1];
      candidates.add(candidate(factor, 1 + 1 / offset, 2 * Math.PI * slope / offset));
    }
    return candidates;
  }

  private static Llama3 candidate(double factor, double high, double length) {
    double rounded = Math.rint(high * 1000) / 1000;
    int positions = (int) Math.max(1, Math.min(Integer.MAX_VALUE, Math.rint(length)));
    return new Llama3(factor, 1, rounded > 1 ? rounded : 4, positions);
  }

  private static boolean has(Llama3 scaling, float[] divisors, double base, int headSize) {
    for (int pair = 0; pair < divisors.length; pair++) {
      double frequency = frequency(base, pair, headSize);
      double divisor = frequency / scaling.frequency(frequency, pair, base, headSize);
      if (Math.abs(divisor - divisors[pair]) > ROUNDING * divisor) {
        return false;
      }
    }
    return true;
  }

  private static double frequency(double base, int pair, int headSize) {
    return Math.pow(base, -2.0 * pair / headSize);
  }
}

package io.minimind.model;

import io.minimind.files.ArgumentException;

/**
 * How rotary frequencies change so that a model reads more than the positions it was trained on.
 */
public sealed interface RotaryScaling {

  /** They stay as they are. */
  RotaryScaling NONE = new Unscaled();

  /**
   * The frequency of a pair of channels.
   *
   * @param frequency without scaling, {@code base^(-2 · pair / headSize)}
   * @param pair from 0
   */
  double frequency(double frequency, int pair, double base, int headSize);

  /** What cosines and sines are multiplied with. */
  default double attentionFactor() {
    return 1;
  }

  /** See {@link #NONE}. */
  record Unscaled() implements RotaryScaling {
    @Override
    public double frequency(double frequency, int pair, double base, int headSize) {
      return frequency;
    }
  }

  /** All frequencies divided by a factor (Chen et al. 2023, "Position Interpolation"). */
  record Linear(double factor) implements RotaryScaling {
    public Linear {
      requireFactor(factor);
    }

    @Override
    public double frequency(double frequency, int pair, double base, int headSize) {
      return frequency / factor;
    }
  }

  /**
   * Llama 3.1's: frequencies whose wave is longer than {@code originalLength / lowFactor} are
   * divided by the factor, those whose wave is shorter than {@code originalLength / highFactor}
   * stay, and between them it changes with the number of waves.
   */
  record Llama3(double factor, double lowFactor, double highFactor, int originalLength)
      implements RotaryScaling {
    public Llama3 {
      requireFactor(factor);
      if (!(lowFactor > 0) || !(highFactor > lowFactor) || originalLength < 1) {
        throw new ArgumentException(
            "rope_scaling must have 0 < low_freq_factor < high_freq_factor and an"
                + " original_max_position_embeddings of at least 1, but has %s, %s and %d."
                    .formatted(lowFactor, highFactor, originalLength));
      }
    }

    @Override
    public double frequency(double frequency, int pair, double base, int headSize) {
      double waves = originalLength * frequency / (2 * Math.PI);
      double kept = Math.max(0, Math.min(1, (waves - lowFactor) / (highFactor - lowFactor)));
      return frequency * (kept + (1 - kept) / factor);
    }
  }

  /**
   * YaRN (Peng et al. 2023): the pairs that turn more than {@code fast} times within the original
   * length stay, those that turn less than {@code slow} times are divided by the factor, and
   * between them it changes with the pair.
   *
   * @param attentionFactor what cosines and sines are multiplied with
   */
  record Yarn(double factor, int originalLength, double fast, double slow, double attentionFactor)
      implements RotaryScaling {
    public Yarn {
      requireFactor(factor);
      if (!(slow > 0) || !(fast >= slow) || originalLength < 1 || !(attentionFactor > 0)) {
        throw new ArgumentException(
            "rope_scaling must have 0 < beta_slow <= beta_fast, an"
                + " original_max_position_embeddings of at least 1 and an attention_factor above 0,"
                + " but has %s, %s, %d and %s."
                    .formatted(slow, fast, originalLength, attentionFactor));
      }
    }

    /** The attention factor that the paper recommends, {@code 0.1 · ln(factor) + 1}. */
    public static double attentionFactor(double factor) {
      return factor > 1 ? 0.1 * Math.log(factor) + 1 : 1;
    }

    @Override
    public double frequency(double frequency, int pair, double base, int headSize) {
      double first = Math.max(Math.floor(pairThatTurns(fast, base, headSize)), 0);
      double last = Math.min(Math.ceil(pairThatTurns(slow, base, headSize)), headSize - 1.0);
      double ramp = (pair - first) / Math.max(last - first, 1e-3);
      double scaled = Math.max(0, Math.min(1, ramp));
      return frequency * (1 - scaled + scaled / factor);
    }

    /** The pair, not a whole number, that turns so many times within the original length. */
    private double pairThatTurns(double times, double base, int headSize) {
      return headSize * Math.log(originalLength / (times * 2 * Math.PI)) / (2 * Math.log(base));
    }
  }

  private static void requireFactor(double factor) {
    if (!(factor >= 1) || Double.isInfinite(factor)) {
      throw new ArgumentException(
          "The factor of rope_scaling must be at least 1, but is " + factor + ".");
    }
  }
}

package io.minimind.infer;

import java.nio.FloatBuffer;
import java.util.BitSet;
import java.util.SplittableRandom;

/** Chooses the tokens of one generation: penalty, temperature, top-k, top-p, min-p, draw. */
final class Sampler {
  private final GenerationOptions options;
  private final Candidates candidates;
  private final BitSet seen;
  private final SplittableRandom random;

  private Sampler(GenerationOptions options, int vocabularySize) {
    this.options = options;
    candidates = new Candidates(vocabularySize);
    seen = new BitSet(vocabularySize);
    random =
        options.seed().isPresent()
            ? new SplittableRandom(options.seed().getAsLong())
            : new SplittableRandom();
  }

  static Sampler of(GenerationOptions options, int vocabularySize) {
    return new Sampler(options, vocabularySize);
  }

  /** Makes tokens count as seen by the repetition penalty; chosen tokens count by themselves. */
  void see(int... ids) {
    for (int id : ids) {
      seen.set(id);
    }
  }

  /**
   * Chooses the next token.
   *
   * @param logits one per token of the vocabulary, read from index 0
   */
  int next(FloatBuffer logits) {
    int id = choose(narrow(logits));
    seen.set(id);
    return id;
  }

  /** How likely {@link #next} is to choose each token of the vocabulary. */
  double[] probabilities(FloatBuffer logits) {
    Candidates narrowed = narrow(logits);
    double[] probabilities = new double[logits.remaining()];
    if (options.temperature() == 0) {
      probabilities[narrowed.likeliest()] = 1;
    } else {
      narrowed.copyProbabilities(probabilities);
    }
    return probabilities;
  }

  /** The tokens that may be drawn; a temperature of 0 leaves all, as logits. */
  Candidates narrow(FloatBuffer logits) {
    candidates.reset(logits);
    if (options.repetitionPenalty() != 1) {
      for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
        candidates.penalize(id, options.repetitionPenalty());
      }
    }
    if (options.temperature() == 0) {
      return candidates;
    }
    // Dividing by the temperature keeps the order, so it can wait until fewer are left.
    if (options.topK() > 0) {
      candidates.keepTopK(options.topK());
    }
    candidates.toWeights(options.temperature());
    if (options.topP() < 1) {
      candidates.keepTopP(options.topP());
    }
    if (options.minP() > 0) {
      candidates.keepMinP(options.minP());
    }
    return candidates;
  }

  private int choose(Candidates narrowed) {
    return options.temperature() == 0 ? narrowed.likeliest() : narrowed.draw(random.nextDouble());
  }
}

package io.minimind.infer;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.TokenConstraint;
import java.nio.FloatBuffer;
import java.util.BitSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** Chooses the tokens of one generation, by the steps that {@link GenerationOptions} lists. */
final class Sampler {
  private final GenerationOptions options;
  private final int vocabularySize;
  private final Set<Integer> endOfText;
  private final int[] forced;
  private final TokenConstraint.State constraint; // null without one
  private final BitSet allowed;
  private final Candidates candidates;
  private final BitSet seen;
  private final int[] counts;
  private final SplittableRandom random;
  private int chosen;

  private Sampler(
      GenerationOptions options, int vocabularySize, int tokens, Set<Integer> endOfText, int most) {
    this.options = options;
    this.vocabularySize = vocabularySize;
    this.endOfText = endOfText;
    forced = options.forcedTokens();
    constraint =
        options
            .constraint()
            .map(rule -> rule.start(Math.max(0, most - forced.length)))
            .orElse(null);
    allowed = new BitSet(vocabularySize);
    candidates = new Candidates(vocabularySize, tokens);
    seen = new BitSet(vocabularySize);
    counts = new int[vocabularySize];
    random =
        options.seed().isPresent()
            ? new SplittableRandom(options.seed().getAsLong())
            : new SplittableRandom();
  }

  /**
   * @param tokens how many of the vocabulary the tokenizer knows
   * @param endOfText the tokens that end a text; a constraint decides when they may come
   * @param most the most tokens that are chosen
   * @throws IllegalArgumentException if the options name a token that is not in the vocabulary
   */
  static Sampler of(
      GenerationOptions options, int vocabularySize, int tokens, Set<Integer> endOfText, int most) {
    check(options, vocabularySize);
    return new Sampler(options, vocabularySize, tokens, endOfText, most);
  }

  /**
   * @throws IllegalArgumentException if the options name a token that is not in the vocabulary
   */
  static void check(GenerationOptions options, int vocabularySize) {
    for (int id : options.forcedTokens()) {
      check("forcedTokens", id, vocabularySize);
    }
    options.logitBias().keySet().forEach(id -> check("logitBias", id, vocabularySize));
    options.forbiddenTokens().forEach(id -> check("forbiddenTokens", id, vocabularySize));
  }

  private static void check(String option, int id, int vocabularySize) {
    if (id >= vocabularySize) {
      throw new ArgumentException(
          "The generation option %s names token %d, but the model's vocabulary ends at %d."
              .formatted(option, id, vocabularySize - 1));
    }
  }

  /** Makes tokens count as seen by the repetition penalty; chosen tokens count by themselves. */
  void see(int... ids) {
    for (int id : ids) {
      seen.set(id);
    }
  }

  /** Whether a constraint leaves nothing but the end of the text. */
  boolean mustEnd() {
    if (constraint == null || chosen < forced.length || !constraint.mayEnd()) {
      return false;
    }
    allowed.clear();
    constraint.allow(allowed);
    endOfText.forEach(allowed::clear);
    options.forbiddenTokens().forEach(allowed::clear);
    return allowed.isEmpty();
  }

  /**
   * Chooses the next token.
   *
   * @param logits one per token of the vocabulary, read from index 0
   */
  int next(FloatBuffer logits) {
    boolean free = chosen >= forced.length;
    int id = free ? choose(narrow(logits)) : forced[chosen];
    chosen++;
    seen.set(id);
    counts[id]++;
    if (free && constraint != null && !endOfText.contains(id)) {
      constraint.advance(id);
    }
    return id;
  }

  /** How likely {@link #next} is to choose each token of the vocabulary. */
  double[] probabilities(FloatBuffer logits) {
    double[] probabilities = new double[vocabularySize];
    if (chosen < forced.length) {
      probabilities[forced[chosen]] = 1;
      return probabilities;
    }
    Candidates narrowed = narrow(logits);
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
    for (Map.Entry<Integer, Double> bias : options.logitBias().entrySet()) {
      candidates.add(bias.getKey(), bias.getValue());
    }
    penalize();
    restrict();
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

  private void penalize() {
    double repetition = options.repetitionPenalty();
    double frequency = options.frequencyPenalty();
    double presence = options.presencePenalty();
    if (repetition == 1 && frequency == 0 && presence == 0) {
      return;
    }
    for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
      candidates.penalize(id, repetition);
      if (counts[id] > 0) {
        candidates.add(id, -frequency * counts[id] - presence);
      }
    }
  }

  private void restrict() {
    if (constraint == null && options.forbiddenTokens().isEmpty()) {
      return;
    }
    allowed.clear();
    if (constraint == null) {
      allowed.set(0, vocabularySize);
    } else {
      constraint.allow(allowed);
      boolean mayEnd = constraint.mayEnd();
      for (int id : endOfText) {
        allowed.set(id, mayEnd);
      }
    }
    options.forbiddenTokens().forEach(allowed::clear);
    candidates.keep(allowed);
    if (candidates.size() == 0) {
      throw new IllegalStateException(
          "After "
              + chosen
              + " tokens the forbidden tokens and the constraint leave none that could follow;"
              + " forbid less, or use a constraint that can be met with this vocabulary.");
    }
  }

  private int choose(Candidates narrowed) {
    return options.temperature() == 0 ? narrowed.likeliest() : narrowed.draw(random.nextDouble());
  }
}

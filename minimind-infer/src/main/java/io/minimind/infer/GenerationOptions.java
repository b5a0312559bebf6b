package io.minimind.infer;

import java.util.OptionalLong;

/**
 * How the next token is chosen and when to stop. The steps apply in the order penalty, temperature,
 * top-k, top-p, min-p, draw.
 *
 * @param maxNewTokens most tokens to generate, at least 1 (default 256); a full context ends a
 *     generation earlier
 * @param temperature divides the logits, at least 0 (default 0.7); 0 always takes the likeliest
 *     token, and then top-k, top-p, min-p and the seed have no effect
 * @param topK keeps the {@code topK} likeliest tokens (default 0: all)
 * @param topP keeps the likeliest tokens whose probabilities reach this sum, in (0, 1] (default 1:
 *     all)
 * @param minP keeps the tokens at least this fraction as likely as the likeliest, in [0, 1]
 *     (default 0: all)
 * @param repetitionPenalty for every token in the prompt or already generated, a positive logit is
 *     divided and a negative one multiplied by this, above 0 (default 1: none)
 * @param seed makes the draws repeatable (default: another seed each time)
 */
public record GenerationOptions(
    int maxNewTokens,
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    OptionalLong seed) {

  private static final GenerationOptions DEFAULTS =
      new GenerationOptions(256, 0.7, 0, 1, 0, 1, OptionalLong.empty());

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public GenerationOptions {
    check(maxNewTokens >= 1, "maxNewTokens", maxNewTokens, "at least 1");
    check(
        temperature >= 0 && Double.isFinite(temperature),
        "temperature",
        temperature,
        "0, which always takes the likeliest token, or above");
    check(topK >= 0, "topK", topK, "0, which keeps all tokens, or above");
    check(topP > 0 && topP <= 1, "topP", topP, "above 0 and at most 1, which keeps all tokens");
    check(minP >= 0 && minP <= 1, "minP", minP, "between 0, which keeps all tokens, and 1");
    check(
        repetitionPenalty > 0 && Double.isFinite(repetitionPenalty),
        "repetitionPenalty",
        repetitionPenalty,
        "above 0; 1 means no penalty, and 1.1 is a mild one");
  }

  public static GenerationOptions defaults() {
    return DEFAULTS;
  }

  /** The defaults, but always the likeliest token. */
  public static GenerationOptions greedy() {
    return DEFAULTS.withTemperature(0);
  }

  public GenerationOptions withMaxNewTokens(int value) {
    return new GenerationOptions(value, temperature, topK, topP, minP, repetitionPenalty, seed);
  }

  public GenerationOptions withTemperature(double value) {
    return new GenerationOptions(maxNewTokens, value, topK, topP, minP, repetitionPenalty, seed);
  }

  public GenerationOptions withTopK(int value) {
    return new GenerationOptions(
        maxNewTokens, temperature, value, topP, minP, repetitionPenalty, seed);
  }

  public GenerationOptions withTopP(double value) {
    return new GenerationOptions(
        maxNewTokens, temperature, topK, value, minP, repetitionPenalty, seed);
  }

  public GenerationOptions withMinP(double value) {
    return new GenerationOptions(
        maxNewTokens, temperature, topK, topP, value, repetitionPenalty, seed);
  }

  public GenerationOptions withRepetitionPenalty(double value) {
    return new GenerationOptions(maxNewTokens, temperature, topK, topP, minP, value, seed);
  }

  public GenerationOptions withSeed(long value) {
    return new GenerationOptions(
        maxNewTokens, temperature, topK, topP, minP, repetitionPenalty, OptionalLong.of(value));
  }

  private static void check(boolean valid, String option, Number value, String range) {
    if (!valid) {
      throw new IllegalArgumentException(
          "The generation option " + option + " is " + value + " but must be " + range + ".");
    }
  }
}

package io.minimind.infer;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.TokenConstraint;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * How the next token is chosen and when to stop. Immutable: each {@code with} method gives changed
 * options and throws {@link IllegalArgumentException} if the value is out of its range.
 *
 * <p>The steps apply in the order forced tokens, bias, penalties, forbidden tokens and constraint,
 * top-k, temperature, top-p, min-p, draw.
 */
public final class GenerationOptions {
  private static final GenerationOptions DEFAULTS = new GenerationOptions(new Values());

  private final Values values;

  private GenerationOptions(Values values) {
    this.values = values;
  }

  /** At most 256 tokens, drawn at a temperature of 0.7 from the whole vocabulary. */
  public static GenerationOptions defaults() {
    return DEFAULTS;
  }

  /** The defaults, but always the likeliest token. */
  public static GenerationOptions greedy() {
    return DEFAULTS.withTemperature(0);
  }

  /** Most tokens to generate (default 256); a full context ends a generation earlier. */
  public int maxNewTokens() {
    return values.maxNewTokens;
  }

  /**
   * @param value at least 1
   */
  public GenerationOptions withMaxNewTokens(int value) {
    check(value >= 1, "maxNewTokens", value, "at least 1");
    return with(changed -> changed.maxNewTokens = value);
  }

  /**
   * Divides the logits (default 0.7). At 0 the likeliest token is taken, and then top-k, top-p,
   * min-p and the seed have no effect.
   */
  public double temperature() {
    return values.temperature;
  }

  /**
   * @param value at least 0
   */
  public GenerationOptions withTemperature(double value) {
    check(
        value >= 0 && Double.isFinite(value),
        "temperature",
        value,
        "0, which always takes the likeliest token, or above");
    return with(changed -> changed.temperature = value);
  }

  /** Keeps this many of the likeliest tokens (default 0: all). */
  public int topK() {
    return values.topK;
  }

  /**
   * @param value at least 0
   */
  public GenerationOptions withTopK(int value) {
    check(value >= 0, "topK", value, "0, which keeps all tokens, or above");
    return with(changed -> changed.topK = value);
  }

  /** Keeps the likeliest tokens whose probabilities reach this sum (default 1: all). */
  public double topP() {
    return values.topP;
  }

  /**
   * @param value in (0, 1]
   */
  public GenerationOptions withTopP(double value) {
    check(value > 0 && value <= 1, "topP", value, "above 0 and at most 1, which keeps all tokens");
    return with(changed -> changed.topP = value);
  }

  /** Keeps the tokens at least this fraction as likely as the likeliest (default 0: all). */
  public double minP() {
    return values.minP;
  }

  /**
   * @param value in [0, 1]
   */
  public GenerationOptions withMinP(double value) {
    check(value >= 0 && value <= 1, "minP", value, "between 0, which keeps all tokens, and 1");
    return with(changed -> changed.minP = value);
  }

  /**
   * For every token in the prompt or already generated, a positive logit is divided and a negative
   * one multiplied by this (default 1: none).
   */
  public double repetitionPenalty() {
    return values.repetitionPenalty;
  }

  /**
   * @param value above 0
   */
  public GenerationOptions withRepetitionPenalty(double value) {
    check(
        value > 0 && Double.isFinite(value),
        "repetitionPenalty",
        value,
        "above 0; 1 means no penalty, and 1.1 is a mild one");
    return with(changed -> changed.repetitionPenalty = value);
  }

  /**
   * Is subtracted from a token's logit once for each time that it was generated; the prompt does
   * not count (default 0: none).
   */
  public double frequencyPenalty() {
    return values.frequencyPenalty;
  }

  /**
   * @param value any number; a negative one rewards repetition
   */
  public GenerationOptions withFrequencyPenalty(double value) {
    check(Double.isFinite(value), "frequencyPenalty", value, "a number; 0 means no penalty");
    return with(changed -> changed.frequencyPenalty = value);
  }

  /**
   * Is subtracted from the logit of each token that was generated; the prompt does not count
   * (default 0: none).
   */
  public double presencePenalty() {
    return values.presencePenalty;
  }

  /**
   * @param value any number; a negative one rewards repetition
   */
  public GenerationOptions withPresencePenalty(double value) {
    check(Double.isFinite(value), "presencePenalty", value, "a number; 0 means no penalty");
    return with(changed -> changed.presencePenalty = value);
  }

  /** Makes the draws repeatable (default: another seed each time). */
  public OptionalLong seed() {
    return values.seed;
  }

  /**
   * @param value any number
   */
  public GenerationOptions withSeed(long value) {
    return with(changed -> changed.seed = OptionalLong.of(value));
  }

  /**
   * Texts that end the generation (default: none). The first to be complete counts, and neither it
   * nor what follows is part of the answer's text.
   */
  public List<String> stopStrings() {
    return values.stopStrings;
  }

  /**
   * @param value texts, none of them empty; they replace those before
   */
  public GenerationOptions withStopStrings(String... value) {
    for (String stop : value) {
      Objects.requireNonNull(stop, "stopStrings");
      check(!stop.isEmpty(), "stopStrings", "an empty text", "at least one character each");
    }
    return with(changed -> changed.stopStrings = List.of(value));
  }

  /** What is added to the logits of single tokens, by their ids (default: nothing). */
  public Map<Integer, Double> logitBias() {
    return values.logitBias;
  }

  /**
   * @param tokenId the token
   * @param value is added to its logit; 100 makes it nearly certain
   */
  public GenerationOptions withLogitBias(int tokenId, double value) {
    check(tokenId >= 0, "logitBias", "for token " + tokenId, "for a token id of at least 0");
    check(Double.isFinite(value), "logitBias", value, "a number; 0 means no bias");
    Map<Integer, Double> all = new TreeMap<>(values.logitBias);
    all.put(tokenId, value);
    return with(changed -> changed.logitBias = Map.copyOf(all));
  }

  /** Ids of tokens that are never generated (default: none). */
  public Set<Integer> forbiddenTokens() {
    return values.forbiddenTokens;
  }

  /**
   * @param tokenIds at least 0; they replace those before
   */
  public GenerationOptions withForbiddenTokens(int... tokenIds) {
    checkIds("forbiddenTokens", tokenIds);
    Set<Integer> all = new TreeSet<>();
    Arrays.stream(tokenIds).forEach(all::add);
    return with(changed -> changed.forbiddenTokens = Set.copyOf(all));
  }

  /** Ids of the tokens that the answer begins with (default: none). */
  public int[] forcedTokens() {
    return values.forcedTokens.clone();
  }

  /**
   * @param tokenIds at least 0; they replace those before
   */
  public GenerationOptions withForcedTokens(int... tokenIds) {
    checkIds("forcedTokens", tokenIds);
    int[] copy = tokenIds.clone();
    return with(changed -> changed.forcedTokens = copy);
  }

  /**
   * Whether the result tells how likely the model found each token, and with how many of the
   * likeliest alternatives (default: not at all).
   */
  public OptionalInt logProbabilities() {
    return values.logProbabilities;
  }

  /**
   * @param alternatives number of likeliest tokens to list with each token, 0 to 100
   */
  public GenerationOptions withLogProbabilities(int alternatives) {
    check(
        alternatives >= 0 && alternatives <= 100,
        "logProbabilities",
        alternatives,
        "between 0, for the chosen tokens alone, and 100");
    return with(changed -> changed.logProbabilities = OptionalInt.of(alternatives));
  }

  /** What the answer must obey, after its forced tokens (default: nothing). */
  public Optional<TokenConstraint> constraint() {
    return values.constraint;
  }

  /**
   * @param value such as one of {@link io.minimind.infer.constraint.Constraints}
   */
  public GenerationOptions withConstraint(TokenConstraint value) {
    Objects.requireNonNull(value, "constraint");
    return with(changed -> changed.constraint = Optional.of(value));
  }

  /** Whether all options are equal; a constraint may bring its own notion of that. */
  @Override
  public boolean equals(Object other) {
    return other instanceof GenerationOptions options && values.all().equals(options.values.all());
  }

  @Override
  public int hashCode() {
    return values.all().hashCode();
  }

  /** All options and their values. */
  @Override
  public String toString() {
    return "GenerationOptions" + values.all();
  }

  private GenerationOptions with(Consumer<Values> change) {
    Values changed = new Values(values);
    change.accept(changed);
    return new GenerationOptions(changed);
  }

  private static void checkIds(String option, int... ids) {
    for (int id : ids) {
      check(id >= 0, option, id, "at least 0, as token ids are");
    }
  }

  private static void check(boolean valid, String option, Object value, String range) {
    if (!valid) {
      throw new ArgumentException(
          "The generation option " + option + " is " + value + " but must be " + range + ".");
    }
  }

  /** Written only before the options that hold it exist. */
  private static final class Values {
    private int maxNewTokens = 256;
    private double temperature = 0.7;
    private int topK;
    private double topP = 1;
    private double minP;
    private double repetitionPenalty = 1;
    private double frequencyPenalty;
    private double presencePenalty;
    private OptionalLong seed = OptionalLong.empty();
    private List<String> stopStrings = List.of();
    private Map<Integer, Double> logitBias = Map.of();
    private Set<Integer> forbiddenTokens = Set.of();
    private int[] forcedTokens = {};
    private OptionalInt logProbabilities = OptionalInt.empty();
    private Optional<TokenConstraint> constraint = Optional.empty();

    Values() {}

    Values(Values other) {
      maxNewTokens = other.maxNewTokens;
      temperature = other.temperature;
      topK = other.topK;
      topP = other.topP;
      minP = other.minP;
      repetitionPenalty = other.repetitionPenalty;
      frequencyPenalty = other.frequencyPenalty;
      presencePenalty = other.presencePenalty;
      seed = other.seed;
      stopStrings = other.stopStrings;
      logitBias = other.logitBias;
      forbiddenTokens = other.forbiddenTokens;
      forcedTokens = other.forcedTokens;
      logProbabilities = other.logProbabilities;
      constraint = other.constraint;
    }

    private Map<String, Object> all() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("maxNewTokens", maxNewTokens);
      all.put("temperature", temperature);
      all.put("topK", topK);
      all.put("topP", topP);
      all.put("minP", minP);
      all.put("repetitionPenalty", repetitionPenalty);
      all.put("frequencyPenalty", frequencyPenalty);
      all.put("presencePenalty", presencePenalty);
      all.put("seed", seed);
      all.put("stopStrings", stopStrings);
      all.put("logitBias", logitBias);
      all.put("forbiddenTokens", forbiddenTokens);
      all.put("forcedTokens", Arrays.stream(forcedTokens).boxed().toList());
      all.put("logProbabilities", logProbabilities);
      all.put("constraint", constraint);
      return all;
    }
  }
}

package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.infer.constraint.TokenConstraint;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final GenerationOptions PLAIN = GenerationOptions.defaults().withTemperature(1);
  private static final int LARGEST_VOCABULARY = 1000;

  private static Sampler sampler(GenerationOptions options, int vocabularySize) {
    return Sampler.of(options, vocabularySize, vocabularySize, Set.of(), 100);
  }

  private static final float[] EIGHT = {0.1f, 2.0f, -1.5f, 0.9f, 0.9f, -0.3f, 1.4f, 0.0f};

  @Test
  void drawsFollowTheSoftmaxOfTheLogits() {
    Sampler sampler = sampler(PLAIN.withTemperature(0.8).withSeed(3), EIGHT.length);
    assertDraws(softmax(EIGHT, 0.8), () -> sampler.next(FloatBuffer.wrap(EIGHT)));
  }

  @Test
  void drawsFollowTheDistributionThatAllStepsLeave() {
    GenerationOptions options =
        PLAIN
            .withRepetitionPenalty(1.5)
            .withFrequencyPenalty(0.4)
            .withPresencePenalty(0.3)
            .withLogitBias(5, 1.2)
            .withForbiddenTokens(0)
            .withTopK(6)
            .withTemperature(0.9)
            .withTopP(0.97)
            .withMinP(0.05)
            .withForcedTokens(1, 6, 1);
    // Token 3 is in the prompt, 1 was generated twice and 6 once; token 0 is forbidden.
    double[] logits = {
      Double.NEGATIVE_INFINITY,
      2.0 / 1.5 - 2 * 0.4 - 0.3,
      Double.NEGATIVE_INFINITY, // the seventh of seven that are allowed
      0.9 / 1.5,
      0.9,
      -0.3 + 1.2,
      1.4 / 1.5 - 0.4 - 0.3,
      0.0
    };
    float[] narrowed = new float[8];
    for (int id = 0; id < 8; id++) {
      narrowed[id] = (float) logits[id];
    }
    double[] expected = softmax(narrowed, 0.9);
    // The least of the six keeps its place only while five do not reach 0.97.
    assertTrue(1 - Arrays.stream(expected).filter(p -> p > 0).min().orElseThrow() < 0.97);
    int[] draws = {0};
    assertDraws(
        expected,
        () -> {
          Sampler sampler = sampler(options.withSeed(draws[0]++), EIGHT.length);
          sampler.see(3);
          for (int i = 0; i < 3; i++) {
            sampler.next(FloatBuffer.wrap(EIGHT));
          }
          return sampler.next(FloatBuffer.wrap(EIGHT));
        });
  }

  private static void assertDraws(double[] expected, IntSupplier draw) {
    int draws = 100_000;
    int[] counts = new int[expected.length];
    for (int i = 0; i < draws; i++) {
      counts[draw.getAsInt()]++;
    }
    double chiSquare = 0;
    for (int i = 0; i < counts.length; i++) {
      double wanted = expected[i] * draws;
      if (wanted == 0) {
        assertEquals(0, counts[i], "token " + i);
      } else {
        chiSquare += (counts[i] - wanted) * (counts[i] - wanted) / wanted;
      }
    }
    double oneInTenThousandAtSevenDegrees = 29.88;
    assertTrue(chiSquare < oneInTenThousandAtSevenDegrees, "chi-square " + chiSquare);
  }

  @Test
  void frequencyCountsEachTimeAndPresenceOnceAndThePromptNever() {
    Sampler sampler =
        sampler(
            PLAIN.withFrequencyPenalty(0.5).withPresencePenalty(0.25).withForcedTokens(1, 1, 2), 4);
    sampler.see(0, 1, 1, 1);
    float[] logits = {1, 1, 1, 1};
    for (int i = 0; i < 3; i++) {
      sampler.next(FloatBuffer.wrap(logits));
    }
    double[] expected = softmax(new float[] {1, 1 - 1 - 0.25f, 1 - 0.5f - 0.25f, 1}, 1);
    assertDistribution(expected, sampler.narrow(FloatBuffer.wrap(logits)));
  }

  @Test
  void biasForbiddenAndForcedTokensDecide() {
    float[] logits = {3, 2, 1, 0};
    GenerationOptions greedy = GenerationOptions.greedy();
    assertEquals(2, sampler(greedy.withLogitBias(2, 2.5), 4).next(FloatBuffer.wrap(logits)));
    assertEquals(1, sampler(greedy.withForbiddenTokens(0, 3), 4).next(FloatBuffer.wrap(logits)));
    Sampler forced = sampler(greedy.withForcedTokens(3, 2), 4);
    assertArrayEquals(new double[] {0, 0, 0, 1}, forced.probabilities(FloatBuffer.wrap(logits)));
    int[] chosen = IntStream.range(0, 3).map(i -> forced.next(FloatBuffer.wrap(logits))).toArray();
    assertArrayEquals(new int[] {3, 2, 0}, chosen);
  }

  @Test
  void tokensOutsideTheVocabularyAreRefused() {
    GenerationOptions greedy = GenerationOptions.greedy();
    Map.of(
            "forcedTokens", greedy.withForcedTokens(4),
            "forbiddenTokens", greedy.withForbiddenTokens(4),
            "logitBias", greedy.withLogitBias(4, 1))
        .forEach(
            (option, options) -> {
              String message =
                  assertThrows(IllegalArgumentException.class, () -> sampler(options, 4))
                      .getMessage();
              assertTrue(message.contains(option + " names token 4"), message);
            });
    String message =
        assertThrows(
                IllegalStateException.class,
                () ->
                    sampler(greedy.withForbiddenTokens(0, 1), 2)
                        .next(FloatBuffer.wrap(new float[2])))
            .getMessage();
    assertTrue(message.contains("leave none that could follow"), message);
  }

  @Test
  void aConstraintDecidesWhatFollowsAndWhenTheTextMayEnd() {
    int end = 0;
    // Ascending ids, at most three; it may end after two.
    TokenConstraint ascending =
        budget ->
            new TokenConstraint.State() {
              private int last;
              private int length;

              @Override
              public void allow(BitSet allowed) {
                if (length < 3) {
                  allowed.set(last + 1, 6);
                }
              }

              @Override
              public boolean mayEnd() {
                return length >= 2;
              }

              @Override
              public void advance(int tokenId) {
                last = tokenId;
                length++;
              }
            };
    GenerationOptions options = GenerationOptions.greedy().withConstraint(ascending);
    Sampler sampler = Sampler.of(options, 6, 6, Set.of(end), 100);
    FloatBuffer logits = FloatBuffer.wrap(new float[] {9, 5, 4, 3, 2, 1});
    assertEquals(1, sampler.next(logits));
    assertEquals(2, sampler.next(logits));
    assertFalse(sampler.mustEnd());
    assertEquals(
        3,
        Sampler.of(options, 6, 6, Set.of(), 100)
            .next(FloatBuffer.wrap(new float[] {0, 0, 0, 1, 0, 0})));
    assertEquals(end, sampler.next(logits));

    Sampler later = Sampler.of(options.withForcedTokens(5, 0), 6, 6, Set.of(end), 100);
    int[] chosen = IntStream.range(0, 3).map(n -> later.next(logits)).toArray();
    assertArrayEquals(new int[] {5, 0, 1}, chosen);

    Sampler endless = Sampler.of(options, 6, 6, Set.of(), 100);
    for (int i = 0; i < 3; i++) {
      assertFalse(endless.mustEnd());
      assertEquals(i + 1, endless.next(logits));
    }
    assertTrue(endless.mustEnd());
  }

  @Test
  void logProbabilitiesAreThoseOfTheModelAlone() {
    double[] expected = softmax(EIGHT, 1);
    TokenLogProbability found = LogProbabilities.of(FloatBuffer.wrap(EIGHT), 2, 8, 4);
    assertEquals(Math.log(expected[2]), found.logProbability(), 1e-6);
    assertEquals(2, found.tokenId());
    assertEquals(
        List.of(1, 6, 3, 4),
        found.alternatives().stream().map(TokenLogProbability.Alternative::tokenId).toList());
    for (TokenLogProbability.Alternative other : found.alternatives()) {
      assertEquals(Math.log(expected[other.tokenId()]), other.logProbability(), 1e-6);
    }
    assertEquals(8, LogProbabilities.of(FloatBuffer.wrap(EIGHT), 2, 8, 50).alternatives().size());
    assertEquals(List.of(), LogProbabilities.of(FloatBuffer.wrap(EIGHT), 2, 8, 0).alternatives());
  }

  @Test
  void aSeedRepeatsTheDraws() {
    assertArrayEquals(draw(PLAIN.withSeed(5)), draw(PLAIN.withSeed(5)));
    assertFalse(Arrays.equals(draw(PLAIN.withSeed(5)), draw(PLAIN.withSeed(6))));
    assertFalse(Arrays.equals(draw(PLAIN), draw(PLAIN)));
  }

  private static int[] draw(GenerationOptions options) {
    Sampler sampler = sampler(options, 1000);
    return IntStream.range(0, 50).map(i -> sampler.next(FloatBuffer.allocate(1000))).toArray();
  }

  @Test
  void temperatureZeroTakesTheFirstOfTheLargest() {
    Sampler sampler = sampler(GenerationOptions.greedy(), 4);
    assertEquals(1, sampler.next(FloatBuffer.wrap(new float[] {-2, 3, 3, 1})));
  }

  @Test
  void thePenaltyDividesPositiveAndMultipliesNegativeLogitsOfSeenTokens() {
    float[] logits = {2, -2, 2, -2, 0};
    Sampler sampler = sampler(PLAIN.withRepetitionPenalty(4), logits.length);
    sampler.see(0, 1, 0);
    double[] expected = softmax(new float[] {0.5f, -8, 2, -2, 0}, 1);
    assertDistribution(expected, sampler.narrow(FloatBuffer.wrap(logits)));
  }

  @Test
  void biasesAndPenaltiesBeyondAFloatKeepTheirDirection() {
    float[] logits = {1, 2, 3, -4};
    List<GenerationOptions> forTwo =
        List.of(
            PLAIN.withLogitBias(2, 1e39),
            PLAIN.withLogitBias(2, 1e39).withLogitBias(0, -1e39).withLogitBias(1, -1e300),
            PLAIN.withRepetitionPenalty(1e-300),
            PLAIN.withFrequencyPenalty(-1e39),
            PLAIN.withFrequencyPenalty(-1e300).withPresencePenalty(-1e300));
    for (GenerationOptions options : forTwo) {
      for (double temperature : new double[] {0, 1}) {
        Sampler sampler =
            sampler(options.withTemperature(temperature).withForcedTokens(2, 2), logits.length);
        sampler.next(FloatBuffer.wrap(logits));
        sampler.next(FloatBuffer.wrap(logits));
        assertEquals(2, sampler.next(FloatBuffer.wrap(logits)), options.toString());
      }
    }
    Sampler away = sampler(PLAIN.withRepetitionPenalty(1e300), logits.length);
    away.see(3);
    assertEquals(0, away.probabilities(FloatBuffer.wrap(logits))[3]);
    // A bias for all tokens is none.
    GenerationOptions all = PLAIN;
    for (int id = 0; id < logits.length; id++) {
      all = all.withLogitBias(id, -1e39);
    }
    assertDistribution(
        new double[] {0.25, 0.25, 0.25, 0.25},
        sampler(all, logits.length).narrow(FloatBuffer.wrap(logits)));
  }

  @Test
  void whatTheModelRulesOutStaysRuledOut() {
    float[] logits = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, 3};
    Sampler biased = sampler(PLAIN.withLogitBias(0, 1e39), 3);
    assertArrayEquals(new double[] {0, 0, 1}, biased.probabilities(FloatBuffer.wrap(logits)));
    for (double temperature : new double[] {0, 1}) {
      Sampler none = sampler(PLAIN.withTemperature(temperature).withForbiddenTokens(2), 3);
      assertThrows(IllegalStateException.class, () -> none.next(FloatBuffer.wrap(logits)));
    }
  }

  @Test
  void logitsThatAreNoNumbersHaveNoProbabilities() {
    float[][] wrong = {{1, Float.NaN}, {1, Float.POSITIVE_INFINITY}, {Float.NaN, 1}};
    for (float[] logits : wrong) {
      assertThrows(
          IllegalStateException.class,
          () -> LogProbabilities.of(FloatBuffer.wrap(logits), 0, 1, 1));
      assertThrows(
          IllegalStateException.class,
          () -> sampler(GenerationOptions.greedy(), 2).next(FloatBuffer.wrap(logits)));
    }
  }

  @Test
  void chosenTokensArePenalizedNextTime() {
    Sampler sampler = sampler(GenerationOptions.greedy().withRepetitionPenalty(2), 3);
    float[] logits = {1.5f, 2, 1.2f};
    int[] chosen = IntStream.range(0, 4).map(i -> sampler.next(FloatBuffer.wrap(logits))).toArray();
    // Penalized once each, never again: 1.5, 2, 1.2 become 0.75, 1, 0.6.
    assertArrayEquals(new int[] {1, 0, 2, 1}, chosen);
  }

  @Test
  void logitsThatAreNoNumbersAreRefused() {
    Sampler sampler = sampler(PLAIN, 2);
    float[] logits = {1, Float.NaN};
    String message =
        assertThrows(IllegalStateException.class, () -> sampler.next(FloatBuffer.wrap(logits)))
            .getMessage();
    assertTrue(message.contains("logit of NaN for token 1"), message);
  }

  @Property(tries = 200)
  void topKKeepsTheLikeliest(
      @ForAll @Size(min = 1, max = 40) List<@IntRange(max = 9) Integer> coarse,
      @ForAll @IntRange(min = 1, max = 45) int k) {
    float[] logits = floats(coarse);
    Candidates kept = narrow(PLAIN.withTopK(k), logits);
    List<Integer> expected = ranked(logits).subList(0, Math.min(k, logits.length));
    assertEquals(Set.copyOf(expected), distribution(kept).keySet());
  }

  @Property(tries = 200)
  void topPKeepsTheFewestThatReachTheShare(
      @ForAll @Size(min = 1, max = 40) List<@FloatRange(min = -5, max = 5) Float> values,
      @ForAll @DoubleRange(min = 0.01, max = 0.99) double p,
      @ForAll @DoubleRange(min = 0.2, max = 3) double temperature) {
    float[] logits = floats(values);
    double[] all = softmax(logits, temperature);
    Candidates kept = narrow(PLAIN.withTemperature(temperature).withTopP(p), logits);
    List<Integer> ranked = ranked(logits);
    double mass = ranked.stream().limit(kept.size()).mapToDouble(id -> all[id]).sum();
    double withoutLast = ranked.stream().limit(kept.size() - 1).mapToDouble(id -> all[id]).sum();
    assertTrue(mass >= p - 1e-6, mass + " does not reach " + p);
    assertTrue(withoutLast < p + 1e-6, withoutLast + " already reached " + p);
    Map<Integer, Double> distribution = distribution(kept);
    for (int id : ranked.subList(0, kept.size())) {
      assertEquals(all[id] / mass, distribution.get(id), 1e-6);
    }
  }

  @Property(tries = 200)
  void minPKeepsWhatIsLikelyEnoughBesideTheLikeliest(
      @ForAll @Size(min = 1, max = 40) List<@FloatRange(min = -5, max = 5) Float> values,
      @ForAll @DoubleRange(min = 0.01, max = 1) double minP) {
    float[] logits = floats(values);
    double[] all = softmax(logits, 1);
    double bound = minP * Arrays.stream(all).max().orElseThrow();
    Map<Integer, Double> kept = distribution(narrow(PLAIN.withMinP(minP), logits));
    for (int id = 0; id < all.length; id++) {
      if (Math.abs(all[id] - bound) > 1e-6 * bound) {
        assertEquals(all[id] > bound, kept.containsKey(id), "token " + id);
      }
    }
  }

  @Property(tries = 100)
  void topPCountsSharesOfWhatTopKLeft(
      @ForAll @Size(value = 12) List<@FloatRange(min = -2, max = 2) Float> values) {
    float[] logits = floats(values);
    List<Integer> ranked = ranked(logits);
    double[] two = softmax(new float[] {logits[ranked.get(0)], logits[ranked.get(1)]}, 1);
    // The likeliest of two holds this share of both, though less of all twelve.
    Candidates kept = narrow(PLAIN.withTopK(2).withTopP(two[0] - 1e-4), logits);
    assertEquals(Map.of(ranked.get(0), 1.0), distribution(kept));
  }

  @Test
  void distributionsEqualTheOriginals() throws IOException {
    JsonNode golden = Golden.read("generate.json");
    JsonNode stored = golden.required("logits");
    float[] logits = new float[stored.size()];
    for (int id = 0; id < logits.length; id++) {
      logits[id] = stored.get(id).floatValue();
    }
    for (JsonNode wanted : golden.required("distributions")) {
      double[] expected = new double[logits.length];
      wanted
          .required("probs")
          .properties()
          .forEach(e -> expected[Integer.parseInt(e.getKey())] = e.getValue().doubleValue());
      GenerationOptions options =
          PLAIN
              .withTemperature(wanted.required("temperature").doubleValue())
              .withTopK(wanted.required("top_k").intValue());
      assertDistribution(expected, narrow(options, logits));
    }
  }

  private static Candidates narrow(GenerationOptions options, float[] logits) {
    return sampler(options, logits.length).narrow(FloatBuffer.wrap(logits));
  }

  private static void assertDistribution(double[] expected, Candidates candidates) {
    Map<Integer, Double> found = distribution(candidates);
    for (int id = 0; id < expected.length; id++) {
      assertEquals(expected[id], found.getOrDefault(id, 0.0), 1e-6, "token " + id);
    }
  }

  private static Map<Integer, Double> distribution(Candidates candidates) {
    Map<Integer, Double> probabilities = new TreeMap<>();
    double[] shares = new double[LARGEST_VOCABULARY];
    candidates.copyProbabilities(shares);
    for (int i = 0; i < candidates.size(); i++) {
      probabilities.put(candidates.id(i), shares[candidates.id(i)]);
    }
    assertEquals(candidates.size(), probabilities.size(), "a token is there twice");
    return probabilities;
  }

  private static List<Integer> ranked(float[] logits) {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparing((Integer id) -> -logits[id]).thenComparing(id -> id))
        .collect(Collectors.toList());
  }

  private static double[] softmax(float[] logits, double temperature) {
    double[] weights = new double[logits.length];
    Arrays.setAll(weights, i -> Math.exp(logits[i] / temperature));
    double total = Arrays.stream(weights).sum();
    return Arrays.stream(weights).map(weight -> weight / total).toArray();
  }

  private static float[] floats(List<? extends Number> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i).floatValue();
    }
    return floats;
  }
}

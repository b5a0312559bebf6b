package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.infer.constraint.TokenConstraint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GenerationOptionsTest {
  private final GenerationOptions defaults = GenerationOptions.defaults();

  @Test
  void eachWitherChangesItsOptionOnly() {
    TokenConstraint constraint = budget -> null;
    List<UnaryOperator<GenerationOptions>> withers =
        List.of(
            options -> options.withMaxNewTokens(3),
            options -> options.withTemperature(0.5),
            options -> options.withTopK(4),
            options -> options.withTopP(0.9),
            options -> options.withMinP(0.1),
            options -> options.withRepetitionPenalty(1.2),
            options -> options.withFrequencyPenalty(0.3),
            options -> options.withPresencePenalty(-0.3),
            options -> options.withSeed(7),
            options -> options.withStopStrings("a", "b"),
            options -> options.withLogitBias(3, 1.5),
            options -> options.withForbiddenTokens(1, 2),
            options -> options.withForcedTokens(4, 5),
            options -> options.withLogProbabilities(2),
            options -> options.withConstraint(constraint));
    List<Object> changed =
        List.of(
            3,
            0.5,
            4,
            0.9,
            0.1,
            1.2,
            0.3,
            -0.3,
            OptionalLong.of(7),
            List.of("a", "b"),
            Map.of(3, 1.5),
            Set.of(1, 2),
            List.of(4, 5),
            OptionalInt.of(2),
            Optional.of(constraint));
    List<Object> before = values(defaults);
    for (int i = 0; i < withers.size(); i++) {
      List<Object> expected = new ArrayList<>(before);
      expected.set(i, changed.get(i));
      assertEquals(expected, values(withers.get(i).apply(defaults)));
    }
    for (UnaryOperator<GenerationOptions> wither : withers) {
      assertNotEquals(defaults, wither.apply(defaults));
      assertEquals(wither.apply(defaults), wither.apply(defaults));
      assertEquals(wither.apply(defaults).hashCode(), wither.apply(defaults).hashCode());
    }
    assertTrue(defaults.withForcedTokens(4, 5).toString().contains("forcedTokens=[4, 5]"));
    GenerationOptions all = defaults;
    for (UnaryOperator<GenerationOptions> wither : withers) {
      all = wither.apply(all);
    }
    assertEquals(changed, values(all));
    assertEquals(before, values(defaults));
    assertEquals(Map.of(3, 1.5, 4, -2.0), all.withLogitBias(4, -2).logitBias());
  }

  private static List<Object> values(GenerationOptions options) {
    return List.of(
        options.maxNewTokens(),
        options.temperature(),
        options.topK(),
        options.topP(),
        options.minP(),
        options.repetitionPenalty(),
        options.frequencyPenalty(),
        options.presencePenalty(),
        options.seed(),
        options.stopStrings(),
        options.logitBias(),
        options.forbiddenTokens(),
        Arrays.stream(options.forcedTokens()).boxed().toList(),
        options.logProbabilities(),
        options.constraint());
  }

  @Test
  void aValueOutOfRangeIsNamedInASentence() {
    Map<String, Executable> mistakes =
        Map.of(
            "maxNewTokens is 0", () -> defaults.withMaxNewTokens(0),
            "temperature is -0.1", () -> defaults.withTemperature(-0.1),
            "temperature is NaN", () -> defaults.withTemperature(Double.NaN),
            "topK is -1", () -> defaults.withTopK(-1),
            "topP is 0.0", () -> defaults.withTopP(0),
            "topP is 1.5", () -> defaults.withTopP(1.5),
            "minP is NaN", () -> defaults.withMinP(Double.NaN),
            "minP is 1.1", () -> defaults.withMinP(1.1),
            "repetitionPenalty is 0.0", () -> defaults.withRepetitionPenalty(0),
            "repetitionPenalty is Infinity",
                () -> defaults.withRepetitionPenalty(Double.POSITIVE_INFINITY));
    Map<String, Executable> more =
        Map.of(
            "frequencyPenalty is NaN", () -> defaults.withFrequencyPenalty(Double.NaN),
            "presencePenalty is NaN", () -> defaults.withPresencePenalty(Double.NaN),
            "stopStrings is an empty text", () -> defaults.withStopStrings("a", ""),
            "logitBias is for token -1", () -> defaults.withLogitBias(-1, 1),
            "logitBias is Infinity", () -> defaults.withLogitBias(1, Double.POSITIVE_INFINITY),
            "forbiddenTokens is -1", () -> defaults.withForbiddenTokens(-1),
            "forcedTokens is -2", () -> defaults.withForcedTokens(0, -2),
            "logProbabilities is 101", () -> defaults.withLogProbabilities(101));
    Stream.of(mistakes, more).forEach(this::assertNamed);
  }

  private void assertNamed(Map<String, Executable> mistakes) {
    mistakes.forEach(
        (start, mistake) -> {
          String message = assertThrows(IllegalArgumentException.class, mistake).getMessage();
          assertTrue(
              message.startsWith("The generation option " + start + " but must be"), message);
          assertTrue(message.endsWith("."), message);
        });
  }

  @Test
  void nullsAreNamed() {
    String message =
        assertThrows(NullPointerException.class, () -> defaults.withConstraint(null)).getMessage();
    assertEquals("constraint", message);
    message =
        assertThrows(NullPointerException.class, () -> defaults.withStopStrings("a", null))
            .getMessage();
    assertEquals("stopStrings", message);
  }

  @Test
  void theEndsOfTheRangesAreAllowed() {
    defaults.withMaxNewTokens(1).withTemperature(0).withTopK(0).withTopP(1).withMinP(0).withMinP(1);
  }
}

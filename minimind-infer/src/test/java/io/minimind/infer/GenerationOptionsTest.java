package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GenerationOptionsTest {
  private final GenerationOptions defaults = GenerationOptions.defaults();

  @Test
  void eachWitherChangesItsOptionOnly() {
    GenerationOptions expected =
        new GenerationOptions(3, 0.5, 4, 0.9, 0.1, 1.2, OptionalLong.of(7));
    GenerationOptions changed =
        defaults
            .withMaxNewTokens(3)
            .withTemperature(0.5)
            .withTopK(4)
            .withTopP(0.9)
            .withMinP(0.1)
            .withRepetitionPenalty(1.2)
            .withSeed(7);
    assertEquals(expected, changed);
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
    mistakes.forEach(
        (start, mistake) -> {
          String message = assertThrows(IllegalArgumentException.class, mistake).getMessage();
          assertTrue(
              message.startsWith("The generation option " + start + " but must be"), message);
          assertTrue(message.endsWith("."), message);
        });
  }

  @Test
  void theEndsOfTheRangesAreAllowed() {
    defaults.withMaxNewTokens(1).withTemperature(0).withTopK(0).withTopP(1).withMinP(0).withMinP(1);
  }
}

package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class GenerationTest {
  private static Generation generation(int... ids) {
    return new Generation(
        "ab 100%",
        ids,
        FinishReason.LENGTH,
        3,
        1,
        Duration.ofMillis(2),
        Duration.ZERO,
        List.of(),
        OptionalInt.empty(),
        Optional.empty());
  }

  @Test
  void theIdsCountByTheirContents() {
    assertEquals(generation(1, 2), generation(1, 2));
    assertEquals(generation(1, 2).hashCode(), generation(1, 2).hashCode());
    assertNotEquals(generation(1, 2), generation(1, 3));
    String text = generation(1, 2).toString();
    assertTrue(text.startsWith("Generation[text=ab 100%, tokenIds=[1, 2], finish"), text);
    assertTrue(
        text.endsWith(
            "decodeTime=PT0S, logProbabilities=[], endToken=OptionalInt.empty,"
                + " ending=Optional.empty]"),
        text);
  }
}

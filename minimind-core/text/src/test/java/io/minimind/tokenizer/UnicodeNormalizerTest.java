package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.text.Normalizer;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class UnicodeNormalizerTest {

  /** Letters, precomposed ones, and marks of several classes, all from before Unicode 9. */
  private static final List<String> PARTS =
      List.of("a", "o", "é", "ự", "Å", "가", "ﬁ", "\u0301", "\u0316", "\u0323", "\u031b", "\u0345");

  private static final List<UnicodeNormalizer> NORMALIZERS =
      Arrays.stream(Normalizer.Form.values()).map(UnicodeNormalizer::of).toList();

  @Property(tries = 2000)
  void textsAreNormalizedAsByJava(@ForAll @Size(max = 12) List<Integer> choices) {
    StringBuilder text = new StringBuilder();
    choices.forEach(choice -> text.append(PARTS.get(Math.floorMod(choice, PARTS.size()))));
    for (Normalizer.Form form : Normalizer.Form.values()) {
      assertEquals(
          Normalizer.normalize(text, form),
          NORMALIZERS.get(form.ordinal()).normalize(text.toString()),
          form.toString());
    }
  }

  @Test
  void aMillionMarksAreNoProblem() {
    // Quadratic sorting would take an hour for them.
    int count = 1_000_000;
    String text = "a" + "\u0301\u0316".repeat(count);
    assertEquals(
        "a" + "\u0316".repeat(count) + "\u0301".repeat(count),
        UnicodeNormalizer.of(Normalizer.Form.NFD).normalize(text));
    assertEquals(
        "\u00e1" + "\u0316".repeat(count) + "\u0301".repeat(count - 1),
        UnicodeNormalizer.of(Normalizer.Form.NFC).normalize(text));
  }
}

package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PretrainingEncoderTest {

  @Property(tries = 200)
  void marksAndCutsTheText(
      @ForAll @IntRange(min = 1, max = 20) int characters,
      @ForAll @IntRange(min = 2, max = 25) int maxLength) {
    Sample sample = encoder(maxLength).encode(row("a".repeat(characters))).get(0);
    int length = Math.min(characters + 2, maxLength);
    assertEquals(length, sample.ids().length);
    assertEquals(length - 1, sample.targetCount());
    assertEquals(1, sample.ids()[0]);
    for (int i = 1; i < length; i++) {
      assertEquals(i == characters + 1 ? 2 : 'a' + 3, sample.ids()[i]);
    }
  }

  @Test
  void markersInTheTextAreTokens() {
    assertArrayEquals(
        new int[] {1, 'x' + 3, 2, 1, 'y' + 3, 2}, encoder(9).encode(row("x</s><s>y")).get(0).ids());
  }

  @Test
  void aBlankTextGivesNoTarget() {
    assertEquals(List.of(), encoder(9).encode(row(" \n　")));
    assertEquals(List.of(), encoder(9).encode(row("")));
  }

  @Test
  void whatIsNoTextIsRefused() {
    Row number = new Row(1, 2, List.of("5"), Set.of(0));
    String reason =
        assertThrows(IllegalArgumentException.class, () -> encoder(9).encode(number)).getMessage();
    assertEquals("it has 5 where a text in quotes was expected.", reason);
    assertEquals(3, encoder(9).encode(row("5")).get(0).ids().length);
  }

  @Test
  void theDescriptionTellsEncodingsApart() {
    ByteTokenizer tokenizer = new ByteTokenizer();
    String description = PretrainingEncoder.of(tokenizer, "a", 9).description();
    assertEquals(description, PretrainingEncoder.of(tokenizer, "a", 9).description());
    assertNotEquals(description, PretrainingEncoder.of(tokenizer, "a", 10).description());
    assertNotEquals(description, PretrainingEncoder.of(tokenizer, "b", 9).description());
  }

  @Test
  void aMaximumLengthWithoutRoomForALabelIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> encoder(1));
  }

  private static PretrainingEncoder encoder(int maxLength) {
    return PretrainingEncoder.of(new ByteTokenizer(), "bytes", maxLength);
  }

  private static Row row(String text) {
    return new Row(1, 2, List.of(text));
  }
}

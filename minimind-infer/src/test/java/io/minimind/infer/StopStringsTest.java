package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class StopStringsTest {

  /** Ends the text where, read character by character, it first ends with a stop string. */
  private static String expected(List<String> stops, String text) {
    for (int end = 1; end <= text.length(); end++) {
      String read = text.substring(0, end);
      int longest = stops.stream().filter(read::endsWith).mapToInt(String::length).max().orElse(0);
      if (longest > 0) {
        return read.substring(0, end - longest);
      }
    }
    return text;
  }

  @Property
  void theTextEndsBeforeTheFirstStopStringHoweverItIsCut(
      @ForAll @Size(max = 3)
          List<@CharRange(from = 'a', to = 'c') @StringLength(min = 1, max = 4) String> stops,
      @ForAll @Size(max = 20)
          List<@CharRange(from = 'a', to = 'c') @StringLength(max = 3) String> pieces) {
    StopStrings scanner = new StopStrings(stops);
    StringBuilder emitted = new StringBuilder();
    String text = String.join("", pieces);
    String expected = expected(stops, text);
    for (String piece : pieces) {
      emitted.append(scanner.next(piece));
      assertTrue(expected.startsWith(emitted.toString()), "emitted " + emitted);
    }
    emitted.append(scanner.finish());
    assertEquals(expected, emitted.toString());
    assertEquals(!expected.equals(text), scanner.found());
  }

  @Property
  void nothingIsHeldBackThatCannotBecomeAStopString(
      @ForAll @CharRange(from = 'a', to = 'b') @StringLength(min = 1, max = 4) String stop,
      @ForAll @CharRange(from = 'a', to = 'b') @StringLength(max = 12) String text,
      @ForAll @IntRange(max = 12) int cut) {
    StopStrings scanner = new StopStrings(List.of(stop));
    int at = Math.min(cut, text.length());
    String emitted = scanner.next(text.substring(0, at)) + scanner.next(text.substring(at));
    if (!scanner.found()) {
      String held = text.substring(emitted.length());
      assertTrue(stop.startsWith(held), "held back " + held);
    }
  }

  @Test
  void aStopStringMaySpanPieces() {
    StopStrings scanner = new StopStrings(List.of("\n\nUser"));
    List<String> emitted = new ArrayList<>();
    for (String piece : List.of("one\n", "two\n", "\nUs", "er: x")) {
      emitted.add(scanner.next(piece));
    }
    assertEquals(List.of("one", "\ntwo", "", ""), emitted);
    assertTrue(scanner.found());
    assertEquals("", scanner.finish());
  }
}

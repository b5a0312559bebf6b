package io.minimind.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The general categories of characters, such as Lu for capital letters, and a few sets beside them.
 * They are kept as a table of Unicode 16, the version of the reference tokenizers, because {@link
 * Character} knows another version on each Java release and ids must not depend on it.
 */
final class GeneralCategory {

  private static final String RESOURCE = "unicode-categories.txt";

  /** What is not assigned comes first, so that it is what the table holds where nothing is set. */
  private static final List<String> NAMES =
      List.of(
          "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
          "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co");

  private static final byte[] CATEGORIES = new byte[Character.MAX_CODE_POINT + 1];
  private static final List<Range> RANGES = new ArrayList<>();
  private static final BitSet WORD = new BitSet();
  private static final BitSet PUNCTUATION = new BitSet();

  /** The categories of letters, marks and numbers that a word consists of. */
  private static final int OF_WORDS = bits("L") | bits("M") | bits("Nd") | bits("Pc");

  /** The lower case of characters that are newer than the oldest Java that runs this. */
  private static final Map<Integer, Integer> LOWER = new HashMap<>();

  /** Characters of one category. */
  private record Range(byte category, int first, int behind) {}

  static {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                GeneralCategory.class.getResourceAsStream(RESOURCE), StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("#")) {
          String[] range = line.split(" ");
          read(range, Integer.parseInt(range[1], 16), Integer.parseInt(range[2], 16) + 1);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private GeneralCategory() {}

  private static void read(String[] range, int first, int behind) {
    switch (range[0]) {
      case "word" -> WORD.set(first, behind);
      case "punctuation" -> PUNCTUATION.set(first, behind);
      case "lower" ->
          IntStream.range(first, behind).forEach(c -> LOWER.put(c, c + Integer.parseInt(range[3])));
      default -> {
        byte category = (byte) NAMES.indexOf(range[0]);
        Arrays.fill(CATEGORIES, first, behind, category);
        RANGES.add(new Range(category, first, behind));
        if ((OF_WORDS >> category & 1) != 0) {
          WORD.set(first, behind);
        }
      }
    }
  }

  /** The number of a character's category: the place of its bit in what {@link #bits} gives. */
  static int of(int codePoint) {
    return CATEGORIES[codePoint];
  }

  /**
   * A category, or the categories of a group such as L, as bits.
   *
   * @return 0 if there is none of this name
   */
  static int bits(String name) {
    int bits = 0;
    for (int i = 0; i < NAMES.size(); i++) {
      boolean group = name.length() == 1 && NAMES.get(i).startsWith(name);
      bits |= group || NAMES.get(i).equals(name) ? 1 << i : 0;
    }
    return bits;
  }

  /**
   * Puts a value into a table of all characters, for those of some categories.
   *
   * @return the end of them
   */
  static int fill(byte[] table, int bits, byte value) {
    int end = 0;
    for (Range range : RANGES) {
      if ((bits >> range.category & 1) != 0) {
        Arrays.fill(table, range.first, range.behind, value);
        end = Math.max(end, range.behind);
      }
    }
    return end;
  }

  /** Whether a character is one of a word: {@code \w} of Rust, where the reference looks. */
  static boolean isOfWord(int codePoint) {
    return WORD.get(codePoint);
  }

  /** Whether the pre-tokenizer Punctuation takes a character for that. */
  static boolean isPunctuation(int codePoint) {
    return PUNCTUATION.get(codePoint);
  }

  /** A character in lower case, which may be two; what stands beside it does not matter. */
  static String lowerCase(int codePoint) {
    Integer lower = LOWER.get(codePoint);
    return lower != null
        ? Character.toString(lower)
        : Character.toString(codePoint).toLowerCase(Locale.ROOT);
  }
}

package io.minimind.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Strings as Python sees them: sequences of code points, and its idea of white space. */
final class Text {

  private Text() {}

  static boolean isSpace(int c) {
    return c >= '\t' && c <= '\r'
        || c >= 0x1C && c <= ' '
        || c == 0x85
        || c == 0xA0
        || c == 0x1680
        || c >= 0x2000 && c <= 0x200A
        || c == 0x2028
        || c == 0x2029
        || c == 0x202F
        || c == 0x205F
        || c == 0x3000;
  }

  static boolean isLineEnd(int c) {
    return c >= '\n' && c <= '\r'
        || c >= 0x1C && c <= 0x1E
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  static String at(String text, int index) {
    int start = text.offsetByCodePoints(0, index);
    return Character.toString(text.codePointAt(start));
  }

  static List<Object> characters(String text) {
    List<Object> characters = new ArrayList<>();
    text.codePoints().forEach(c -> characters.add(Character.toString(c)));
    return characters;
  }

  static String slice(String text, Slices.Range range) {
    int[] points = text.codePoints().toArray();
    StringBuilder slice = new StringBuilder();
    for (int i = 0; i < range.count(); i++) {
      slice.appendCodePoint(points[range.index(i)]);
    }
    return slice.toString();
  }

  /** Text without the characters at its ends, white space if they are null. */
  static String strip(String text, String characters, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end && isStripped(text.codePointAt(start), characters)) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && end > start && isStripped(text.codePointBefore(end), characters)) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  private static boolean isStripped(int c, String characters) {
    return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
  }

  /**
   * @param keepEnds whether each line keeps its end
   */
  static List<String> lines(String text, boolean keepEnds, Budget budget) {
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (isLineEnd(text.charAt(i))) {
        boolean isPair = text.startsWith("\r\n", i);
        int end = isPair ? i + 2 : i + 1;
        budget.add(lines, text.substring(start, keepEnds ? end : i));
        start = end;
        i = end - 1;
      }
    }
    if (start < text.length()) {
      budget.add(lines, text.substring(start));
    }
    return lines;
  }

  /** The order of code points, which is not that of UTF-16. */
  static int compare(String a, String b) {
    int i = 0;
    while (i < a.length() && i < b.length()) {
      int x = a.codePointAt(i);
      int y = b.codePointAt(i);
      if (x != y) {
        return Integer.compare(x, y);
      }
      i += Character.charCount(x);
    }
    return Integer.compare(a.length(), b.length());
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int end = Character.charCount(text.codePointAt(0));
    return title(text.substring(0, end)) + text.substring(end).toLowerCase(Locale.ROOT);
  }

  /** A letter as it starts a word. */
  private static String title(String letter) {
    String upper = letter.toUpperCase(Locale.ROOT);
    // Letters such as ß become two.
    return length(upper) > 1
        ? upper.substring(0, 1) + upper.substring(1).toLowerCase(Locale.ROOT)
        : Character.toString(Character.toTitleCase(letter.codePointAt(0)));
  }

  /** Each run of letters with a capital at its start. */
  static String titleWords(String text) {
    StringBuilder title = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      String letter = Character.toString(c);
      boolean cased =
          Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
      title.append(!cased ? letter : inWord ? letter.toLowerCase(Locale.ROOT) : title(letter));
      inWord = cased;
    }
    return title.toString();
  }
}

package io.minimind.agent;

/** Texts as Python sees them, by whose rules the original's tools and rewards were written. */
public final class PythonText {

  private PythonText() {}

  /** As {@code str.isspace}. */
  public static boolean isSpace(int codePoint) {
    return codePoint >= 0x1c && codePoint <= 0x1f
        || codePoint >= '\t' && codePoint <= '\r'
        || codePoint == 0x85
        || Character.isSpaceChar(codePoint);
  }

  /** What {@code \w} matches: letters and numbers of all kinds, but no combining marks. */
  public static boolean isWord(int codePoint) {
    return codePoint == '_'
        || Character.isLetter(codePoint)
        || switch (Character.getType(codePoint)) {
          case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
              true;
          default -> false;
        };
  }

  /** As {@code str.strip}. */
  public static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isSpace(text.charAt(start))) {
      start++;
    }
    while (start < end && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  /** As {@code len}. */
  public static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** Digits of any script as those of ASCII. */
  public static String asciiDigits(String text) {
    StringBuilder plain = new StringBuilder();
    text.codePoints()
        .map(c -> Character.isDigit(c) ? '0' + Character.digit(c, 10) : c)
        .forEach(plain::appendCodePoint);
    return plain.toString();
  }
}

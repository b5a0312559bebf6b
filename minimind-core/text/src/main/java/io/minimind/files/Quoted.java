package io.minimind.files;

/**
 * Text from a file, fit to stand in a message: short, on one line, and without control characters.
 */
public final class Quoted {

  /** Longer texts are cut. */
  private static final int LONGEST = 80;

  private static final int LONGEST_LINE = 400;

  private Quoted() {}

  /**
   * A text in quotation marks. Of more than 80 characters only the beginning is there; control
   * characters, and what changes the direction of writing, appear as {@code \\u001b}.
   */
  public static String text(String text) {
    return '"' + shortened(text, LONGEST) + '"';
  }

  /** What another program says, on one line and of 400 characters at most. */
  public static String line(String message) {
    return shortened(message.strip().replaceAll("\\s+", " "), LONGEST_LINE);
  }

  private static String shortened(String text, int longest) {
    StringBuilder quoted = new StringBuilder();
    int symbols = text.codePointCount(0, text.length());
    int end = symbols <= longest ? text.length() : text.offsetByCodePoints(0, longest - 1);
    for (int i = 0; i < end; ) {
      int symbol = text.codePointAt(i);
      i += Character.charCount(symbol);
      if (isPrintable(symbol)) {
        quoted.appendCodePoint(symbol);
      } else {
        quoted.append("\\u%04x".formatted(symbol));
      }
    }
    return quoted.append(end < text.length() ? "…" : "").toString();
  }

  private static boolean isPrintable(int symbol) {
    return switch (Character.getType(symbol)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}

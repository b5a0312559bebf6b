package io.minimind.template;

/** The escapes in string literals, which are Python's. */
final class StringEscapes {

  private static final String LETTERS = "ntrbfva\\'\"";
  private static final String MEANINGS = "\n\t\r\b\f\u000B\u0007\\'\"";

  private StringEscapes() {}

  static String resolve(String literal) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < literal.length(); i++) {
      char c = literal.charAt(i);
      if (c != '\\') {
        text.append(c);
        continue;
      }
      char escaped = literal.charAt(++i);
      int digits = escaped == 'x' ? 2 : escaped == 'u' ? 4 : escaped == 'U' ? 8 : 0;
      if (digits > 0) {
        text.appendCodePoint(codePoint(literal, i + 1, digits));
        i += digits;
      } else if (escaped >= '0' && escaped <= '7') {
        int end = i + 1;
        while (end < Math.min(literal.length(), i + 3)
            && Character.digit(literal.charAt(end), 8) >= 0) {
          end++;
        }
        text.appendCodePoint(Integer.parseInt(literal.substring(i, end), 8));
        i = end - 1;
      } else if (LETTERS.indexOf(escaped) >= 0) {
        text.append(MEANINGS.charAt(LETTERS.indexOf(escaped)));
      } else if (escaped != '\n') {
        // What is no escape stands for itself.
        text.append('\\').append(escaped);
      }
    }
    return text.toString();
  }

  private static int codePoint(String literal, int start, int digits) {
    String hex = literal.substring(start, Math.min(literal.length(), start + digits));
    if (!hex.matches("\\p{XDigit}{" + digits + "}")
        || Long.parseLong(hex, 16) > Character.MAX_CODE_POINT) {
      throw new Failure(
          "the string has the escape \"\\%s%s\"; expected %d hexadecimal digits of a character",
          literal.charAt(start - 1), hex, digits);
    }
    return (int) Long.parseLong(hex, 16);
  }
}

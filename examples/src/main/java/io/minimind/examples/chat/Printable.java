package io.minimind.examples.chat;

/** What a model writes, as a terminal may see it. */
final class Printable {

  private Printable() {}

  /** A text in which control characters, which a terminal would obey, appear as {@code \\u001b}. */
  static String of(String text) {
    StringBuilder printable = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) && c != '\n' && c != '\t') {
        printable.append("\\u%04x".formatted((int) c));
      } else {
        printable.append(c);
      }
    }
    return printable.toString();
  }
}

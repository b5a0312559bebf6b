package io.minimind.server;

/** Text of strangers in messages. */
final class Text {
  private static final int MOST_SHOWN = 60;

  private Text() {}

  /** In quotation marks, cut where it is long, without control characters. */
  static String quote(String text) {
    String shown = text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "…" : text;
    return '"' + shown.replaceAll("[\\p{Cntrl}\\p{Cs}]", "�") + '"';
  }
}

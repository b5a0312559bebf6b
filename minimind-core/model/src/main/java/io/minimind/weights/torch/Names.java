package io.minimind.weights.torch;

/** Names that a file gives, as they may stand in a message. */
final class Names {

  private static final int LONGEST = 100;

  private Names() {}

  /** In quotes, cut where it is long, without control characters. */
  static String quoted(String name) {
    String cut = name.length() > LONGEST ? name.substring(0, LONGEST) + "…" : name;
    return '"' + cut.replaceAll("\\p{Cntrl}", "?") + '"';
  }
}

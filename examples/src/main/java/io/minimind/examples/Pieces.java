package io.minimind.examples;

import io.minimind.tokenizer.Tokenizer;
import java.util.Arrays;

/** How tokens are shown to a person. */
final class Pieces {

  private static final String RESET = "\u001b[0m";

  /** Black on light backgrounds that differ from their neighbours for weak eyes too. */
  private static final String[] COLOURS = {"\u001b[30;106m", "\u001b[30;103m"};

  private final Tokenizer tokenizer;

  Pieces(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Whether a terminal shows what is printed, and the person has nothing against colours. */
  static boolean coloursWanted() {
    return System.console() != null
        && System.getenv().getOrDefault("NO_COLOR", "").isEmpty()
        && !"dumb".equals(System.getenv("TERM"));
  }

  /** The text of a token; one that is only a part of a character, as the vocabulary spells it. */
  String piece(int id) {
    return isPart(id) ? tokenizer.token(id).orElse("") : tokenizer.decode(new int[] {id});
  }

  /** Whether a token is no whole characters, but some of the bytes of one. */
  boolean isPart(int id) {
    String text = tokenizer.decode(new int[] {id});
    // The replacement character may also be what the token stands for.
    return text.indexOf('\uFFFD') >= 0 && !Arrays.equals(tokenizer.encode(text), new int[] {id});
  }

  /** A line for each token: its id, a tab, and its text. */
  String plain(int[] ids) {
    StringBuilder lines = new StringBuilder();
    for (int id : ids) {
      lines.append(id).append('\t').append(escaped(piece(id), "\\n")).append('\n');
    }
    return lines.toString();
  }

  /** The tokens behind each other on alternating backgrounds, and below them their ids alike. */
  String coloured(int[] ids) {
    StringBuilder texts = new StringBuilder();
    StringBuilder numbers = new StringBuilder();
    for (int i = 0; i < ids.length; i++) {
      String colour = COLOURS[i % COLOURS.length];
      // A background that reaches over the end of a line would fill the next one.
      String text = escaped(piece(ids[i]), "⏎" + RESET + "\n" + colour);
      texts.append(colour).append(text).append(RESET);
      numbers.append(colour).append(ids[i]).append(RESET).append(' ');
    }
    return texts + "\n" + numbers + "\n";
  }

  /** Without control characters, which a terminal would obey, and without what ends a line. */
  private static String escaped(String text, String lineBreak) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> escaped.append(lineBreak);
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                default -> {
                  if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                    escaped.append(String.format("\\u%04x", c));
                  } else {
                    escaped.appendCodePoint(c);
                  }
                }
              }
            });
    return escaped.toString();
  }
}

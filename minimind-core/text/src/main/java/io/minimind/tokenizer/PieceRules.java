package io.minimind.tokenizer;

import java.lang.Character.UnicodeScript;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * What SentencePiece's trainer lets become a piece, and which of two pieces that occur equally
 * often it takes first.
 */
final class PieceRules implements MergeLearner.Preference {

  private static final char SPACE = '\u2581';

  /** No piece contains any of these: they mean something else to SentencePiece or its trainer. */
  private static final Pattern NEVER_IN_PIECE =
      Pattern.compile("[\\n\\t\\x00\\u2585]|<unk>|</?s>|<0x[0-9A-F]{2}>");

  /** By symbol: its text, and the scripts of its first and last character that have one. */
  private final List<String> texts = new ArrayList<>();

  private final List<UnicodeScript> firstScripts = new ArrayList<>();
  private final List<UnicodeScript> lastScripts = new ArrayList<>();
  private final Set<String> made = new HashSet<>();
  private final int characters;

  /**
   * @param characters the code points that are the initial symbols
   */
  PieceRules(List<Integer> characters) {
    this.characters = characters.size();
    for (int character : characters) {
      texts.add(Character.toString(character));
      UnicodeScript script = character == SPACE ? UnicodeScript.INHERITED : script(character);
      firstScripts.add(script);
      lastScripts.add(script);
    }
  }

  /** The pieces made of several characters, in the order in which they were made. */
  List<String> merges() {
    return Collections.unmodifiableList(texts.subList(characters, texts.size()));
  }

  /**
   * Cuts a text into words, which no piece crosses the border of. SentencePiece cuts before spaces
   * alone. The other cuts are where no piece could reach across anyway: they make for fewer
   * distinct words.
   */
  static void split(String text, Consumer<byte[]> words) {
    String escaped = new String(AlignedText.of(text).chars()).replace(' ', SPACE);
    for (String part : NEVER_IN_PIECE.split(escaped)) {
      int start = 0;
      for (int at = 0; at < part.length(); ) {
        int next = at + Character.charCount(part.codePointAt(at));
        if (next == part.length() || isBorder(part.codePointAt(at), part.codePointAt(next))) {
          words.accept(part.substring(start, next).getBytes(StandardCharsets.UTF_8));
          start = next;
        }
        at = next;
      }
    }
  }

  private static boolean isBorder(int before, int after) {
    if (before == SPACE || after == SPACE) {
      return before != SPACE;
    }
    return differ(script(before), script(after));
  }

  @Override
  public boolean allows(int left, int right) {
    String before = texts.get(left);
    String after = texts.get(right);
    if (differ(lastScripts.get(left), firstScripts.get(right))) {
      return false;
    }
    // Spaces make a piece of their own, or one of them begins a piece.
    boolean fits =
        after.charAt(0) == SPACE
            ? isSpaces(before) && isSpaces(after)
            : !isSpaces(before) || before.length() == 1;
    return fits && !made.contains(before + after);
  }

  @Override
  public void merged(int left, int right) {
    String piece = texts.get(left) + texts.get(right);
    made.add(piece);
    texts.add(piece);
    firstScripts.add(known(firstScripts.get(left), firstScripts.get(right)));
    lastScripts.add(known(lastScripts.get(right), lastScripts.get(left)));
  }

  @Override
  public int compare(int left, int right, int otherLeft, int otherRight) {
    String a = texts.get(left);
    String b = texts.get(right);
    String c = texts.get(otherLeft);
    String d = texts.get(otherRight);
    int lengths = Integer.compare(codePoints(a) + codePoints(b), codePoints(c) + codePoints(d));
    if (lengths != 0) {
      return lengths;
    }
    int end = Math.min(a.length() + b.length(), c.length() + d.length());
    for (int i = 0; i < end; i++) {
      char x = i < a.length() ? a.charAt(i) : b.charAt(i - a.length());
      char y = i < c.length() ? c.charAt(i) : d.charAt(i - c.length());
      if (x != y) {
        // Surrogates stand for characters behind all others.
        boolean surrogates = Character.isSurrogate(x) == Character.isSurrogate(y);
        return surrogates ? Character.compare(x, y) : Character.isSurrogate(x) ? 1 : -1;
      }
    }
    // The same piece from other parts: any fixed order will do, as only one of them can be made.
    return Integer.compare(a.length(), c.length());
  }

  private static int codePoints(String text) {
    return text.codePointCount(0, text.length());
  }

  private static boolean isSpaces(String piece) {
    return piece.charAt(0) == SPACE && piece.charAt(piece.length() - 1) == SPACE;
  }

  private static boolean differ(UnicodeScript before, UnicodeScript after) {
    return before != UnicodeScript.INHERITED && after != UnicodeScript.INHERITED && before != after;
  }

  private static UnicodeScript known(UnicodeScript script, UnicodeScript otherwise) {
    return script == UnicodeScript.INHERITED ? otherwise : script;
  }

  /** The script of a character; inherited is that which goes with any. Kana count as Han. */
  private static UnicodeScript script(int character) {
    UnicodeScript script = UnicodeScript.of(character);
    boolean isLongVowelMark = character == 0x30FC;
    return switch (script) {
      case HIRAGANA, KATAKANA -> UnicodeScript.HAN;
      case UNKNOWN -> UnicodeScript.COMMON;
      default -> isLongVowelMark ? UnicodeScript.HAN : script;
    };
  }
}

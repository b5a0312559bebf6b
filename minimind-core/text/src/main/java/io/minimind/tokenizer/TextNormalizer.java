package io.minimind.tokenizer;

import java.util.List;

/** A change of a text before it is cut into words, which knows where each character comes from. */
@FunctionalInterface
interface TextNormalizer {

  /** A part of a text, normalized; {@code text} itself if the part stays as it is. */
  AlignedText normalize(AlignedText text, int start, int end);

  /** The normalized string. */
  default String normalize(String text) {
    AlignedText aligned = AlignedText.of(text);
    return new String(normalize(aligned, 0, text.length()).chars());
  }

  /** Leaves all as it is. */
  static TextNormalizer none() {
    return (text, start, end) -> text;
  }

  /** One change after the other. */
  static TextNormalizer sequence(List<TextNormalizer> changes) {
    return (text, start, end) -> {
      AlignedText now = text;
      for (TextNormalizer change : changes) {
        now =
            now == text
                ? change.normalize(text, start, end)
                : change.normalize(now, 0, now.chars().length);
      }
      return now;
    };
  }

  /** Each character in lower case, whatever stands beside it. */
  static TextNormalizer lowerCase() {
    return (text, start, end) -> {
      AlignedText.Builder lower = new AlignedText.Builder(text);
      for (int at = start; at < end; at = text.offsetByCodePoints(at, 1)) {
        lower.add(GeneralCategory.lowerCase(Character.codePointAt(text.chars(), at, end)), at);
      }
      return lower.text();
    };
  }

  /** Without whitespace at its ends. */
  static TextNormalizer strip(boolean left, boolean right) {
    return (text, start, end) -> {
      char[] chars = text.chars();
      int from = start;
      while (left && from < end && CharacterClass.of(chars[from]) == CharacterClass.SPACE) {
        from++;
      }
      int to = end;
      while (right && to > from && CharacterClass.of(chars[to - 1]) == CharacterClass.SPACE) {
        to--;
      }
      if (from == start && to == end) {
        return text;
      }
      AlignedText.Builder stripped = new AlignedText.Builder(text);
      for (int at = from; at < to; at++) {
        stripped.keep(at);
      }
      return stripped.text();
    };
  }

  /** What a pattern matches is replaced; the replacement comes from the last character of that. */
  static TextNormalizer replace(WordFinder pattern, String replacement) {
    return (text, start, end) -> {
      char[] chars = text.chars();
      AlignedText.Builder replaced = null;
      for (int at = start; at < end; ) {
        int behind = pattern.matchEnd(chars, at, end);
        if (behind < 0) {
          if (replaced != null) {
            replaced.keep(at);
          }
          at++;
          continue;
        }
        if (replaced == null) {
          replaced = new AlignedText.Builder(text);
          for (int i = start; i < at; i++) {
            replaced.keep(i);
          }
        }
        replaced.add(replacement, behind - 1);
        at = behind;
      }
      return replaced == null ? text : replaced.text();
    };
  }

  /** Something before a text that is not empty, which comes from its first character. */
  static TextNormalizer prepend(String prefix) {
    return (text, start, end) -> {
      if (start == end) {
        return text;
      }
      AlignedText.Builder prepended = new AlignedText.Builder(text).add(prefix, start);
      for (int at = start; at < end; at++) {
        prepended.keep(at);
      }
      return prepended.text();
    };
  }

  /** Finds something in a text. */
  @FunctionalInterface
  interface WordFinder {

    /** Where the match that begins at {@code start} ends, or -1; never {@code start} itself. */
    int matchEnd(char[] text, int start, int end);

    /** A text, literally. */
    static WordFinder literal(String written) {
      return (text, start, end) -> {
        int length = written.length();
        if (end - start < length) {
          return -1;
        }
        for (int i = 0; i < length; i++) {
          if (text[start + i] != written.charAt(i)) {
            return -1;
          }
        }
        return start + length;
      };
    }
  }
}

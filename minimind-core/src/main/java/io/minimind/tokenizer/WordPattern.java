package io.minimind.tokenizer;

/**
 * How a text is cut into words, within which byte pairs are merged: one scanner per known pattern.
 */
interface WordPattern {

  /**
   * The end of the word that begins at {@code start}.
   *
   * @param text well-formed UTF-16
   * @param end where the text ends, more than {@code start}
   * @return more than {@code start} and at most {@code end}
   */
  int wordEnd(char[] text, int start, int end);

  /** The whole text is one word. */
  static WordPattern none() {
    return (text, start, end) -> end;
  }

  /**
   * The pattern of GPT-2: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
   * ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}.
   */
  static WordPattern gpt2() {
    return WordPattern::gpt2WordEnd;
  }

  private static int gpt2WordEnd(char[] text, int start, int end) {
    char first = text[start];
    if (first == '\'') {
      int length = contraction(text, start + 1, end);
      if (length > 0) {
        return start + 1 + length;
      }
    }
    byte kind = kindAt(text, start, end);
    if (kind != CharacterClass.SPACE) {
      return runEnd(text, start, end, kind);
    }
    if (first == ' ' && start + 1 < end) {
      byte next = kindAt(text, start + 1, end);
      if (next != CharacterClass.SPACE) {
        return runEnd(text, start + 1, end, next);
      }
    }
    int stop = runEnd(text, start, end, CharacterClass.SPACE);
    // A longer run leaves its last whitespace to what follows.
    return stop < end && stop - start > 1 ? stop - 1 : stop;
  }

  /** The number of letters of the contraction ('s, 't, 're ...) that ends here, or 0. */
  private static int contraction(char[] text, int at, int end) {
    if (at == end) {
      return 0;
    }
    char first = text[at];
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
      return 1;
    }
    if (at + 1 == end) {
      return 0;
    }
    char second = text[at + 1];
    boolean two =
        first == 'r' && second == 'e'
            || first == 'v' && second == 'e'
            || first == 'l' && second == 'l';
    return two ? 2 : 0;
  }

  /** The end of the run of one class that begins at {@code start}. */
  private static int runEnd(char[] text, int start, int end, byte kind) {
    int at = start;
    while (at < end) {
      char c = text[at];
      if (Character.isHighSurrogate(c)) {
        if (kindAt(text, at, end) != kind) {
          break;
        }
        at += 2;
      } else {
        if (CharacterClass.of(c) != kind) {
          break;
        }
        at++;
      }
    }
    return at;
  }

  private static byte kindAt(char[] text, int at, int end) {
    return CharacterClass.of(Character.codePointAt(text, at, end));
  }
}

package io.minimind.tokenizer;

/**
 * A text on its way to be encoded, and where in the given text each of its characters comes from.
 *
 * @param chars well-formed UTF-16
 * @param starts by index in {@code chars}: where what it comes from starts in the given text
 * @param ends by index in {@code chars}: where what it comes from ends
 */
record AlignedText(char[] chars, int[] starts, int[] ends) {

  private static final int[] IDENTITY = {};

  /** A text as it was given; unpaired surrogates become U+FFFD. */
  static AlignedText of(String text) {
    char[] chars = text.toCharArray();
    for (int i = 0; i < chars.length; i++) {
      if (Character.isSurrogate(chars[i])) {
        if (i + 1 < chars.length && Character.isSurrogatePair(chars[i], chars[i + 1])) {
          i++;
        } else {
          chars[i] = '\uFFFD';
        }
      }
    }
    return new AlignedText(chars, IDENTITY, IDENTITY);
  }

  /** Where the whole character at {@code at} starts in the given text. */
  int originalStart(int at) {
    if (starts != IDENTITY) {
      return starts[at];
    }
    return Character.isLowSurrogate(chars[at]) ? at - 1 : at;
  }

  /** Where the whole character at {@code at} ends in the given text. */
  int originalEnd(int at) {
    if (ends != IDENTITY) {
      return ends[at];
    }
    return Character.isHighSurrogate(chars[at]) ? at + 2 : at + 1;
  }

  int offsetByCodePoints(int at, int count) {
    return Character.offsetByCodePoints(chars, 0, chars.length, at, count);
  }

  /**
   * The part from {@code start} to {@code end}, with a space before it, as if it came from the
   * first character.
   */
  AlignedText withSpaceBefore(int start, int end) {
    int length = end - start + 1;
    AlignedText prefixed = new AlignedText(new char[length], new int[length], new int[length]);
    prefixed.chars[0] = ' ';
    prefixed.starts[0] = originalStart(start);
    prefixed.ends[0] = originalEnd(start);
    for (int i = 1; i < length; i++) {
      prefixed.chars[i] = chars[start + i - 1];
      prefixed.starts[i] = originalStart(start + i - 1);
      prefixed.ends[i] = originalEnd(start + i - 1);
    }
    return prefixed;
  }
}

package io.minimind.tokenizer;

import java.util.Arrays;

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

  /** Another text, each of whose characters comes from where one of this one does. */
  static final class Builder {
    private final AlignedText from;
    private final StringBuilder chars = new StringBuilder();
    private int[] starts = new int[16];
    private int[] ends = new int[16];

    Builder(AlignedText from) {
      this.from = from;
    }

    /** Appends characters that come from the one at {@code at}, or from its other half. */
    Builder add(String text, int at) {
      for (int i = 0; i < text.length(); i++) {
        add(text.charAt(i), at);
      }
      return this;
    }

    /** Appends what stands at {@code at}. */
    Builder keep(int at) {
      add(from.chars[at], at);
      return this;
    }

    private void add(char c, int at) {
      int length = chars.length();
      if (length == starts.length) {
        starts = Arrays.copyOf(starts, 2 * length);
        ends = Arrays.copyOf(ends, 2 * length);
      }
      starts[length] = from.originalStart(at);
      ends[length] = from.originalEnd(at);
      chars.append(c);
    }

    AlignedText text() {
      int length = chars.length();
      char[] all = new char[length];
      chars.getChars(0, length, all, 0);
      return new AlignedText(all, Arrays.copyOf(starts, length), Arrays.copyOf(ends, length));
    }
  }
}

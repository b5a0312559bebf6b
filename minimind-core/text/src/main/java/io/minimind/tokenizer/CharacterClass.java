package io.minimind.tokenizer;

import java.util.Arrays;

/**
 * The character classes {@code \p{L}}, {@code \p{N}} and {@code \s} of pre-tokenizer patterns, from
 * the table of {@link GeneralCategory}.
 */
final class CharacterClass {

  static final byte OTHER = 0;
  static final byte LETTER = 1;
  static final byte NUMBER = 2;
  static final byte SPACE = 3;

  /** The White_Space property, which no Unicode version has changed for two decades. */
  private static final int[][] SPACES = {
    {0x09, 0x0D}, {0x20, 0x20}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}
  };

  /** Indexed by code point; ends after the last letter or number. */
  private static final byte[] CLASSES = load();

  private CharacterClass() {}

  static byte of(int codePoint) {
    return codePoint < CLASSES.length ? CLASSES[codePoint] : OTHER;
  }

  private static byte[] load() {
    byte[] classes = new byte[Character.MAX_CODE_POINT + 1];
    int letters = GeneralCategory.fill(classes, GeneralCategory.bits("L"), LETTER);
    int numbers = GeneralCategory.fill(classes, GeneralCategory.bits("N"), NUMBER);
    for (int[] range : SPACES) {
      Arrays.fill(classes, range[0], range[1] + 1, SPACE);
    }
    return Arrays.copyOf(classes, Math.max(letters, numbers));
  }
}

package io.minimind.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The character classes {@code \p{L}}, {@code \p{N}} and {@code \s} of pre-tokenizer patterns. They
 * are kept as a table of Unicode 16, the version of the reference tokenizers, because {@link
 * Character} knows another version on each Java release and ids must not depend on it.
 */
final class CharacterClass {

  static final byte OTHER = 0;
  static final byte LETTER = 1;
  static final byte NUMBER = 2;
  static final byte SPACE = 3;

  private static final String RESOURCE = "unicode-classes.txt";

  /** Indexed by code point; ends after the last letter or number. */
  private static final byte[] CLASSES = load();

  private CharacterClass() {}

  static byte of(int codePoint) {
    return codePoint < CLASSES.length ? CLASSES[codePoint] : OTHER;
  }

  private static byte[] load() {
    byte[] classes = new byte[Character.MAX_CODE_POINT + 1];
    int last = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                CharacterClass.class.getResourceAsStream(RESOURCE), StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("#")) {
          continue;
        }
        String[] range = line.split(" ");
        last = Integer.parseInt(range[2], 16);
        Arrays.fill(
            classes,
            Integer.parseInt(range[1], 16),
            last + 1,
            range[0].equals("L") ? LETTER : NUMBER);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // The White_Space property, which no Unicode version has changed for two decades.
    for (int[] range :
        new int[][] {
          {0x09, 0x0D}, {0x20, 0x20}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680},
          {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}
        }) {
      Arrays.fill(classes, range[0], range[1] + 1, SPACE);
    }
    return Arrays.copyOf(classes, last + 1);
  }
}

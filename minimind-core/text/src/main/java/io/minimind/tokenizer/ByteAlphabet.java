package io.minimind.tokenizer;

import java.util.Arrays;
import java.util.Optional;

/**
 * The alphabet in which byte-level vocabularies are written: one printable character for each byte.
 * Printable Latin-1 characters stand for themselves, the other bytes for U+0100 onwards in order.
 */
final class ByteAlphabet {

  private static final char[] CHARACTERS = new char[256];
  private static final short[] BYTES = new short[512];

  static {
    Arrays.fill(BYTES, (short) -1);
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = b > ' ' && b < 0x7F || b > 0xA0 && b != 0xAD;
      CHARACTERS[b] = printable ? (char) b : next++;
      BYTES[CHARACTERS[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  /** The character that stands for the byte {@code value}, 0 to 255. */
  static char character(int value) {
    return CHARACTERS[value];
  }

  /** The bytes a token stands for, or empty if it has a character outside the alphabet. */
  static Optional<byte[]> bytes(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return Optional.empty();
      }
      bytes[i] = (byte) BYTES[c];
    }
    return Optional.of(bytes);
  }
}

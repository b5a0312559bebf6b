package io.minimind.tokenizer;

/**
 * Decodes UTF-8 byte by byte. Each longest beginning of a character that is not completed, and each
 * byte that cannot begin one, becomes U+FFFD, as Unicode recommends.
 */
final class Utf8Decoder {

  private static final char REPLACEMENT = '\uFFFD';

  private final boolean replacesEachByte;
  private int codePoint;
  private int taken;
  private int missing;
  // The range of the next byte; it is narrower after some first bytes, which excludes overlong
  // forms, surrogates and what lies above U+10FFFF.
  private int lower = 0x80;
  private int upper = 0xBF;

  Utf8Decoder() {
    this(false);
  }

  private Utf8Decoder(boolean replacesEachByte) {
    this.replacesEachByte = replacesEachByte;
  }

  /** A decoder that gives a U+FFFD for each byte of an unfinished character, as SentencePiece. */
  static Utf8Decoder replacingEachByte() {
    return new Utf8Decoder(true);
  }

  /** Takes the next byte and appends what became certain. */
  void accept(byte next, StringBuilder out) {
    int value = next & 0xFF;
    if (missing > 0 && value >= lower && value <= upper) {
      codePoint = codePoint << 6 | value & 0x3F;
      taken++;
      expect(missing - 1, 0x80, 0xBF);
      if (missing == 0) {
        out.appendCodePoint(codePoint);
      }
      return;
    }
    finish(out);
    taken = 1;
    if (value < 0x80) {
      out.append((char) value);
    } else if (value >= 0xC2 && value < 0xE0) {
      codePoint = value & 0x1F;
      expect(1, 0x80, 0xBF);
    } else if (value >= 0xE0 && value < 0xF0) {
      codePoint = value & 0x0F;
      expect(2, value == 0xE0 ? 0xA0 : 0x80, value == 0xED ? 0x9F : 0xBF);
    } else if (value >= 0xF0 && value < 0xF5) {
      codePoint = value & 0x07;
      expect(3, value == 0xF0 ? 0x90 : 0x80, value == 0xF4 ? 0x8F : 0xBF);
    } else {
      out.append(REPLACEMENT);
    }
  }

  /** Ends the text: an unfinished character becomes U+FFFD, or each of its bytes does. */
  void finish(StringBuilder out) {
    if (missing > 0) {
      out.append(String.valueOf(REPLACEMENT).repeat(replacesEachByte ? taken : 1));
      expect(0, 0x80, 0xBF);
    }
  }

  private void expect(int count, int from, int to) {
    missing = count;
    lower = from;
    upper = to;
  }
}

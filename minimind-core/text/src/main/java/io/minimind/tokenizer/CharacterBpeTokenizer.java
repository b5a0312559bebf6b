package io.minimind.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/**
 * Byte-pair encoding over characters, and over bytes where the vocabulary lacks a character: what a
 * SentencePiece model of Llama 2, Mistral or Gemma is as {@code tokenizer.json}. A space is written
 * {@code ▁} in it.
 */
final class CharacterBpeTokenizer extends BpeTokenizer {

  /** What stands for a space in the vocabulary. */
  static final char SPACE = '\u2581';

  private final BitSet bytes;
  private final int strippedSpaces;

  /**
   * @param bytes the ids that stand for a byte
   * @param strippedSpaces how many spaces at most are taken from the start of a text
   */
  CharacterBpeTokenizer(
      Vocabulary vocabulary, TextEncoder encoder, BitSet bytes, int strippedSpaces) {
    super(vocabulary, encoder);
    this.bytes = bytes;
    this.strippedSpaces = strippedSpaces;
  }

  /**
   * {@inheritDoc} Bytes that are no UTF-8 make a U+FFFD each, and so do the others of their run
   * where all of it is there; one that streams has given those out by then.
   */
  @Override
  Decoding decoding(boolean whole) {
    return new Decoding() {
      private final StringBuilder run = new StringBuilder();
      private final Utf8Decoder utf8 = Utf8Decoder.replacingEachByte();
      private int runLength;
      private int strippable = strippedSpaces;

      @Override
      public void accept(int id, StringBuilder out) {
        byte[] token = tokenBytes(id);
        if (bytes.get(id)) {
          utf8.accept(token[0], run);
          runLength++;
          if (!whole) {
            endRun(out);
          }
        } else {
          utf8.finish(run);
          endRun(out);
          append(new String(token, StandardCharsets.UTF_8), out);
        }
      }

      private void endRun(StringBuilder out) {
        // U+FFFD has three bytes in UTF-8 where it stands for one.
        boolean broken =
            whole && run.toString().getBytes(StandardCharsets.UTF_8).length != runLength;
        append(broken ? "\uFFFD".repeat(runLength) : run.toString(), out);
        run.setLength(0);
        runLength = 0;
      }

      private void append(String text, StringBuilder out) {
        int from = 0;
        while (strippable > 0 && from < text.length() && text.charAt(from) == ' ') {
          from++;
          strippable--;
        }
        if (from < text.length()) {
          strippable = 0;
        }
        out.append(text, from, text.length());
      }

      @Override
      public void finish(StringBuilder out) {
        utf8.finish(run);
        endRun(out);
      }
    };
  }
}

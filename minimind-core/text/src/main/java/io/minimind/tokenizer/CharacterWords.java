package io.minimind.tokenizer;

import java.util.Arrays;
import java.util.List;

/** Words whose symbols are characters; those that have no symbol stand apart, each by itself. */
final class CharacterWords implements MergeLearner.Words {

  private final CorpusWords words;

  /** By code point. */
  private final int[] symbols = new int[Character.MAX_CODE_POINT + 1];

  /**
   * @param characters the code points that have a symbol, their place
   */
  CharacterWords(CorpusWords words, List<Integer> characters) {
    this.words = words;
    Arrays.fill(symbols, MergeLearner.BOUNDARY);
    for (int symbol = 0; symbol < characters.size(); symbol++) {
      symbols[characters.get(symbol)] = symbol;
    }
  }

  /** The characters of a word, which is well-formed UTF-8. */
  static int[] codePoints(CorpusWords words, int word) {
    byte[] bytes = words.bytes(word);
    int[] codePoints = new int[bytes.length];
    int size = 0;
    for (int at = 0; at < bytes.length; ) {
      int first = bytes[at++];
      int following = first >= 0 ? 0 : first < (byte) 0xE0 ? 1 : first < (byte) 0xF0 ? 2 : 3;
      int codePoint = following == 0 ? first : first & 0x3F >> following;
      for (int i = 0; i < following; i++) {
        codePoint = codePoint << 6 | bytes[at++] & 0x3F;
      }
      codePoints[size++] = codePoint;
    }
    return Arrays.copyOf(codePoints, size);
  }

  @Override
  public int size() {
    return words.size();
  }

  @Override
  public long count(int word) {
    return words.count(word);
  }

  @Override
  public int length(int word) {
    int length = 0;
    for (byte b : words.bytes(word)) {
      length += (b & 0xC0) == 0x80 ? 0 : 1;
    }
    return length;
  }

  @Override
  public void copySymbols(int word, int[] target, int at) {
    for (int character : codePoints(words, word)) {
      target[at++] = symbols[character];
    }
  }
}

package io.minimind.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Words whose symbols are characters; those that have no symbol stand apart, each by itself. */
final class CharacterWords implements MergeLearner.Words {

  private final CorpusWords words;
  private final Map<Integer, Integer> symbols = new HashMap<>();

  /**
   * @param characters the code points that have a symbol, their place
   */
  CharacterWords(CorpusWords words, List<Integer> characters) {
    this.words = words;
    for (int character : characters) {
      symbols.put(character, symbols.size());
    }
  }

  static int[] codePoints(CorpusWords words, int word) {
    return new String(words.bytes(word), StandardCharsets.UTF_8).codePoints().toArray();
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
      target[at++] = symbols.getOrDefault(character, MergeLearner.BOUNDARY);
    }
  }
}

package io.minimind.tokenizer;

import java.util.Map;

/** The symbols of which words consist before any of them are merged. */
interface Alphabet {

  /**
   * Adds the symbols of a character to a word.
   *
   * @param text well-formed UTF-16
   * @param at where the character begins
   */
  void add(char[] text, int at, BytePairMerger word);

  /** How many symbols {@link #add} adds. */
  int symbols(char[] text, int at);

  /**
   * The bytes of UTF-8.
   *
   * @param ids the id of each byte that occurs there
   */
  static Alphabet bytes(int[] ids) {
    return new Alphabet() {
      @Override
      public void add(char[] text, int at, BytePairMerger word) {
        char c = text[at];
        if (c < 0x80) {
          word.add(ids[c]);
        } else if (c < 0x800) {
          word.add(ids[0xC0 | c >> 6]);
          word.add(ids[0x80 | c & 0x3F]);
        } else if (Character.isHighSurrogate(c)) {
          int codePoint = Character.toCodePoint(c, text[at + 1]);
          word.add(ids[0xF0 | codePoint >> 18]);
          word.add(ids[0x80 | codePoint >> 12 & 0x3F]);
          word.add(ids[0x80 | codePoint >> 6 & 0x3F]);
          word.add(ids[0x80 | codePoint & 0x3F]);
        } else {
          word.add(ids[0xE0 | c >> 12]);
          word.add(ids[0x80 | c >> 6 & 0x3F]);
          word.add(ids[0x80 | c & 0x3F]);
        }
      }

      @Override
      public int symbols(char[] text, int at) {
        char c = text[at];
        return c < 0x80 ? 1 : c < 0x800 ? 2 : Character.isHighSurrogate(c) ? 4 : 3;
      }
    };
  }

  /**
   * Characters, and bytes in the place of those that have no id.
   *
   * @param ids by code point
   * @param bytes what takes the place of others
   */
  static Alphabet characters(Map<Integer, Integer> ids, Alphabet bytes) {
    return new Alphabet() {
      @Override
      public void add(char[] text, int at, BytePairMerger word) {
        Integer id = ids.get(Character.codePointAt(text, at));
        if (id == null) {
          bytes.add(text, at, word);
        } else {
          word.add(id);
        }
      }

      @Override
      public int symbols(char[] text, int at) {
        return ids.containsKey(Character.codePointAt(text, at)) ? 1 : bytes.symbols(text, at);
      }
    };
  }
}

package io.minimind.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Byte-pair encoding over the bytes of UTF-8, the tokenizer family of GPT-2 and MiniMind. It gives
 * the ids that the Hugging Face library gives for the same {@code tokenizer.json} when no special
 * tokens are added around the text.
 */
public final class ByteLevelBpeTokenizer implements Tokenizer {

  private final Map<String, Integer> ids;

  /** What each id stands for; empty for an id without a token. */
  private final byte[][] tokenBytes;

  /** The id of each byte that occurs in UTF-8. */
  private final int[] byteIds;

  private final MergeTable merges;

  /** Words that are a token as a whole whatever the merges say, by their text. */
  private final Map<String, Integer> wholeWords;

  /** Searched one after the other, each in what the ones before left over. */
  private final List<AddedTokens> addedTokens;

  private final WordPattern pattern;
  private final boolean addPrefixSpace;

  ByteLevelBpeTokenizer(
      Map<String, Integer> ids,
      byte[][] tokenBytes,
      int[] byteIds,
      MergeTable merges,
      Map<String, Integer> wholeWords,
      List<AddedTokens> addedTokens,
      WordPattern pattern,
      boolean addPrefixSpace) {
    this.ids = ids;
    this.tokenBytes = tokenBytes;
    this.byteIds = byteIds;
    this.merges = merges;
    this.wholeWords = wholeWords;
    this.addedTokens = addedTokens;
    this.pattern = pattern;
    this.addPrefixSpace = addPrefixSpace;
  }

  /**
   * Reads a {@code tokenizer.json}.
   *
   * @throws IOException if the file cannot be read, is malformed, or asks for something this class
   *     does not do; the message is a sentence that names the file and the place in it
   */
  public static ByteLevelBpeTokenizer load(Path file) throws IOException {
    return TokenizerJson.read(file);
  }

  @Override
  public int vocabularySize() {
    return tokenBytes.length;
  }

  @Override
  public OptionalInt tokenId(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public int[] encode(String text) {
    Encoding encoding = new Encoding(wellFormed(text));
    encoding.splitAddedTokens(0, 0, text.length());
    return encoding.ids();
  }

  @Override
  public int[] encodeOrdinary(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int[] encodeWithSpecialTokens(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public io.minimind.tokenizer.Encoding encodeWithOffsets(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<String> token(int id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, Integer> specialTokens() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    for (int id : ids) {
      checkId(id);
    }
    StringBuilder text = new StringBuilder(2 * ids.length);
    Utf8Decoder utf8 = new Utf8Decoder();
    for (int id : ids) {
      decode(id, utf8, text);
    }
    utf8.finish(text);
    return text.toString();
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder() {
      private final Utf8Decoder utf8 = new Utf8Decoder();
      private final StringBuilder piece = new StringBuilder();

      @Override
      public String next(int id) {
        checkId(id);
        decode(id, utf8, piece);
        return takePiece();
      }

      @Override
      public String finish() {
        utf8.finish(piece);
        return takePiece();
      }

      private String takePiece() {
        String taken = piece.toString();
        piece.setLength(0);
        return taken;
      }
    };
  }

  private void decode(int id, Utf8Decoder utf8, StringBuilder text) {
    for (byte b : tokenBytes[id]) {
      utf8.accept(b, text);
    }
  }

  private void checkId(int id) {
    if (id < 0 || id >= vocabularySize()) {
      throw new IllegalArgumentException(
          "Token id "
              + id
              + " is out of range: this tokenizer has the ids 0 to "
              + (vocabularySize() - 1)
              + ".");
    }
  }

  static char[] wellFormed(String text) {
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
    return chars;
  }

  /** The encoding of one text in progress. */
  private final class Encoding {

    private final char[] text;
    private final BytePairMerger merger = new BytePairMerger(merges);
    private int[] ids;
    private int count;

    Encoding(char[] text) {
      this.text = text;
      ids = new int[16 + text.length / 2];
    }

    int[] ids() {
      return Arrays.copyOf(ids, count);
    }

    /** Encodes a part of the text, looking for added tokens from the given pass on. */
    void splitAddedTokens(int pass, int start, int end) {
      if (pass == addedTokens.size()) {
        splitWords(start, end);
        return;
      }
      int open = start;
      int at = start;
      while (at < end) {
        Optional<AddedTokens.Token> found = addedTokens.get(pass).longestAt(text, at, end);
        if (found.isEmpty()) {
          at++;
          continue;
        }
        AddedTokens.Token token = found.get();
        int from = token.leftStrip() ? spacesBefore(at, open) : at;
        if (open < from) {
          splitAddedTokens(pass + 1, open, from);
        }
        append(token.id());
        at += token.content().length();
        // Where open is beyond at, an earlier token has taken the whitespace between them, in which
        // this one was found all the same.
        open = token.rightStrip() ? spacesAfter(Math.max(at, open), end) : at;
      }
      if (open < end) {
        splitAddedTokens(pass + 1, open, end);
      }
    }

    private int spacesBefore(int at, int start) {
      int from = at;
      while (from > start && CharacterClass.of(text[from - 1]) == CharacterClass.SPACE) {
        from--;
      }
      return from;
    }

    private int spacesAfter(int at, int end) {
      int to = at;
      while (to < end && CharacterClass.of(text[to]) == CharacterClass.SPACE) {
        to++;
      }
      return to;
    }

    private void splitWords(int start, int end) {
      if (addPrefixSpace && text[start] != ' ') {
        char[] prefixed = new char[end - start + 1];
        prefixed[0] = ' ';
        System.arraycopy(text, start, prefixed, 1, end - start);
        splitWords(prefixed, 0, prefixed.length);
      } else {
        splitWords(text, start, end);
      }
    }

    private void splitWords(char[] chars, int start, int end) {
      for (int at = start; at < end; ) {
        int wordEnd = pattern.wordEnd(chars, at, end);
        encodeWord(chars, at, wordEnd);
        at = wordEnd;
      }
    }

    private void encodeWord(char[] chars, int start, int end) {
      if (!wholeWords.isEmpty()) {
        Integer id = wholeWords.get(new String(chars, start, end - start));
        if (id != null) {
          append(id);
          return;
        }
      }
      merger.begin();
      for (int i = start; i < end; i++) {
        char c = chars[i];
        if (c < 0x80) {
          addByte(c);
        } else if (c < 0x800) {
          addByte(0xC0 | c >> 6);
          addByte(0x80 | c & 0x3F);
        } else if (Character.isHighSurrogate(c)) {
          int codePoint = Character.toCodePoint(c, chars[++i]);
          addByte(0xF0 | codePoint >> 18);
          addByte(0x80 | codePoint >> 12 & 0x3F);
          addByte(0x80 | codePoint >> 6 & 0x3F);
          addByte(0x80 | codePoint & 0x3F);
        } else {
          addByte(0xE0 | c >> 12);
          addByte(0x80 | c >> 6 & 0x3F);
          addByte(0x80 | c & 0x3F);
        }
      }
      merger.merge();
      int length = merger.count();
      reserve(length);
      System.arraycopy(merger.symbols(), 0, ids, count, length);
      count += length;
    }

    private void addByte(int value) {
      merger.add(byteIds[value]);
    }

    private void append(int id) {
      reserve(1);
      ids[count++] = id;
    }

    private void reserve(int more) {
      if (count + more > ids.length) {
        ids = Arrays.copyOf(ids, Math.max(count + more, 2 * ids.length));
      }
    }
  }
}

package io.minimind.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The encoding of texts by a {@link BpeTokenizer}: finds added tokens, normalizes, cuts into words,
 * merges. Immutable; what one text needs is in {@link Run}.
 *
 * @param alphabet what the symbols are that a word is merged from
 * @param wholeWords words that are a token as a whole whatever the merges say, by their text
 * @param verbatimTokens found in the text as it is given
 * @param normalizedTokens found in what is left, after it is normalized
 * @param patterns cut into words, each in the words of the one before; never empty
 * @param pieceStart what is done to each piece of text before it is cut into words
 */
record TextEncoder(
    Alphabet alphabet,
    MergeTable merges,
    Map<String, Integer> wholeWords,
    AddedTokens verbatimTokens,
    AddedTokens normalizedTokens,
    Optional<TextNormalizer> normalizer,
    List<WordPattern> patterns,
    TextNormalizer pieceStart,
    OffsetTrimming trimming) {

  int[] ids(String text, boolean recogniseSpecialTokens) {
    Run run = new Run(text, recogniseSpecialTokens, false);
    run.encode();
    return Arrays.copyOf(run.ids, run.count);
  }

  Encoding encoding(String text) {
    Run run = new Run(text, true, true);
    run.encode();
    return new Encoding(
        Arrays.copyOf(run.ids, run.count),
        Arrays.copyOf(run.starts, run.count),
        Arrays.copyOf(run.ends, run.count));
  }

  /** What a post-processor of type ByteLevel does to the spaces at the ends of a token's place. */
  enum OffsetTrimming {
    NONE,
    /** Takes them off. */
    ALL,
    /** Takes them off but for a single one at the start of the text. */
    KEEP_PREFIX_SPACE
  }

  /** What is done with the text between added tokens. */
  private interface Rest {
    void accept(AlignedText text, int start, int end);
  }

  /** The encoding of one text in progress. */
  private final class Run {

    private final AlignedText given;
    private final boolean recogniseSpecialTokens;
    private final boolean withOffsets;
    private final BytePairMerger merger = new BytePairMerger(merges);
    private int[] ids = {};
    private int[] starts = {};
    private int[] ends = {};
    private int count;

    Run(String text, boolean recogniseSpecialTokens, boolean withOffsets) {
      given = AlignedText.of(text);
      this.recogniseSpecialTokens = recogniseSpecialTokens;
      this.withOffsets = withOffsets;
    }

    void encode() {
      int length = given.chars().length;
      reserve(16 + length / 2);
      splitTokens(verbatimTokens, given, 0, length, this::normalize);
    }

    private void normalize(AlignedText text, int start, int end) {
      AlignedText normalized = normalizer.map(n -> n.normalize(text, start, end)).orElse(text);
      if (normalized == text) {
        splitTokens(normalizedTokens, text, start, end, this::splitWords);
      } else {
        int length = normalized.chars().length;
        splitTokens(normalizedTokens, normalized, 0, length, this::splitWords);
      }
    }

    /** Encodes a part of the text, handing what is between added tokens on. */
    private void splitTokens(AddedTokens tokens, AlignedText text, int start, int end, Rest rest) {
      char[] chars = text.chars();
      int open = start;
      int at = start;
      while (at < end) {
        AddedTokens.Token token = tokens.longestAt(chars, at, end);
        if (token == null) {
          at++;
          continue;
        }
        int behind = at + token.written().length();
        if (token.special() && !recogniseSpecialTokens
            || token.singleWord() && isWithinWord(chars, start, at, behind, end)) {
          at = behind;
          continue;
        }
        int from = token.leftStrip() ? spacesBefore(chars, at, open) : at;
        if (open < from) {
          rest.accept(text, open, from);
        }
        at = behind;
        // Where open is beyond at, an earlier token has taken the whitespace between them, in which
        // this one was found all the same.
        open = token.rightStrip() ? spacesAfter(chars, Math.max(at, open), end) : at;
        append(token.id());
        if (withOffsets) {
          locate(count - 1, text, from, open, false);
        }
      }
      if (open < end) {
        rest.accept(text, open, end);
      }
    }

    private static boolean isWithinWord(char[] chars, int start, int from, int to, int end) {
      return from > start && GeneralCategory.isOfWord(Character.codePointBefore(chars, from, start))
          || to < end && GeneralCategory.isOfWord(Character.codePointAt(chars, to, end));
    }

    private void splitWords(AlignedText text, int start, int end) {
      AlignedText piece = pieceStart.normalize(text, start, end);
      if (piece == text) {
        splitWords(0, text, start, end);
      } else {
        splitWords(0, piece, 0, piece.chars().length);
      }
    }

    private void splitWords(int level, AlignedText text, int start, int end) {
      WordPattern pattern = patterns.get(level);
      boolean last = level == patterns.size() - 1;
      for (int at = start; at < end; ) {
        int wordEnd = pattern.wordEnd(text.chars(), at, end);
        if (last) {
          encodeWord(text, at, wordEnd);
        } else {
          splitWords(level + 1, text, at, wordEnd);
        }
        at = wordEnd;
      }
    }

    private void encodeWord(AlignedText text, int start, int end) {
      char[] chars = text.chars();
      if (!wholeWords.isEmpty()) {
        Integer id = wholeWords.get(new String(chars, start, end - start));
        if (id != null) {
          append(id);
          if (withOffsets) {
            locate(count - 1, text, start, end, true);
          }
          return;
        }
      }
      merger.begin();
      for (int i = start; i < end; i += width(chars, i)) {
        alphabet.add(chars, i, merger);
      }
      merger.merge();
      int length = merger.count();
      reserve(length);
      System.arraycopy(merger.symbols(), 0, ids, count, length);
      count += length;
      if (withOffsets) {
        locateMerged(text, start);
      }
    }

    /** Says where the tokens of the word that was merged last come from. */
    private void locateMerged(AlignedText text, int start) {
      int first = count - merger.count();
      int at = start;
      int behind = alphabet.symbols(text.chars(), at); // Up to the end of the character there.
      for (int i = 0; i < merger.count(); i++) {
        int firstSymbol = merger.firsts()[i];
        while (behind <= firstSymbol) {
          at += width(text.chars(), at);
          behind += alphabet.symbols(text.chars(), at);
        }
        int from = at;
        int lastSymbol = merger.firsts()[i + 1] - 1;
        while (behind <= lastSymbol) {
          at += width(text.chars(), at);
          behind += alphabet.symbols(text.chars(), at);
        }
        locate(first + i, text, from, at + 1, true);
      }
    }

    /** Says that a token comes from the characters from {@code start} to {@code end}. */
    private void locate(int token, AlignedText text, int start, int end, boolean word) {
      starts[token] = text.originalStart(start);
      ends[token] = text.originalEnd(end - 1);
      if (trimming != OffsetTrimming.NONE) {
        trim(token, text.chars(), start, end, word);
      }
    }

    private void trim(int token, char[] chars, int start, int end, boolean word) {
      int leading = 0;
      while (start + leading < end && isTrimmed(chars[start + leading], word)) {
        leading++;
      }
      int trailing = 0;
      while (start < end - trailing && isTrimmed(chars[end - trailing - 1], word)) {
        trailing++;
      }
      boolean first = token == 0 || starts[token] == 0;
      if (leading == 1 && first && trimming == OffsetTrimming.KEEP_PREFIX_SPACE) {
        leading = 0;
      }
      int from = starts[token];
      for (; leading > 0 && from < ends[token]; leading--) {
        from += Character.isHighSurrogate(given.chars()[from]) ? 2 : 1;
      }
      int to = ends[token];
      for (; trailing > 0 && to > 0; trailing--) {
        to -= Character.isLowSurrogate(given.chars()[to - 1]) ? 2 : 1;
      }
      starts[token] = from;
      ends[token] = trailing > 0 ? ends[token] : Math.max(to, from);
    }

    /** In words, whose bytes are written in {@link ByteAlphabet}, only a space is whitespace. */
    private static boolean isTrimmed(char c, boolean word) {
      return word
          ? c == ' '
          : CharacterClass.of(c) == CharacterClass.SPACE || c == ByteAlphabet.character(' ');
    }

    private static int spacesBefore(char[] chars, int at, int start) {
      int from = at;
      while (from > start && CharacterClass.of(chars[from - 1]) == CharacterClass.SPACE) {
        from--;
      }
      return from;
    }

    private static int spacesAfter(char[] chars, int at, int end) {
      int to = at;
      while (to < end && CharacterClass.of(chars[to]) == CharacterClass.SPACE) {
        to++;
      }
      return to;
    }

    private static int width(char[] chars, int at) {
      return Character.isHighSurrogate(chars[at]) ? 2 : 1;
    }

    private void append(int id) {
      reserve(1);
      ids[count++] = id;
    }

    private void reserve(int more) {
      if (count + more > ids.length) {
        int length = Math.max(count + more, 2 * ids.length);
        ids = Arrays.copyOf(ids, length);
        if (withOffsets) {
          starts = Arrays.copyOf(starts, length);
          ends = Arrays.copyOf(ends, length);
        }
      }
    }
  }
}

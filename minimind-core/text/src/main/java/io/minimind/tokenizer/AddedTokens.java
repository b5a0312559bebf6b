package io.minimind.tokenizer;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;

/** Tokens that are found in a text as they are written, before it is cut into words. */
final class AddedTokens {

  /**
   * One token.
   *
   * @param written how it is written where it is looked for, not empty
   * @param leftStrip whether it takes the whitespace before it
   * @param rightStrip whether it takes the whitespace after it
   * @param singleWord whether it is found only where no letter or digit stands beside it
   * @param special whether it is no text of a user
   */
  record Token(
      String written,
      int id,
      boolean leftStrip,
      boolean rightStrip,
      boolean singleWord,
      boolean special) {}

  private final Token[] sorted;

  /** Bit {@code c % 64} is set if a token begins with {@code c}: most positions end here. */
  private final long firstCharacters;

  /** Tokens that are written differently. */
  AddedTokens(Collection<Token> tokens) {
    sorted = tokens.toArray(Token[]::new);
    Arrays.sort(sorted, Comparator.comparing(Token::written));
    long bits = 0;
    for (Token token : sorted) {
      bits |= 1L << token.written().charAt(0);
    }
    firstCharacters = bits;
  }

  /** The longest token that is written at {@code at}, or null. */
  Token longestAt(char[] text, int at, int end) {
    if ((firstCharacters >>> text[at] & 1) == 0) {
      return null;
    }
    Token longest = null;
    int low = 0;
    int high = sorted.length;
    // The tokens from low to high share their first depth characters with the text.
    for (int depth = 0; at + depth < end; depth++) {
      low = firstNotBelow(text[at + depth], depth, low, high);
      high = firstNotBelow(text[at + depth] + 1, depth, low, high);
      if (low == high) {
        break;
      }
      if (sorted[low].written().length() == depth + 1) {
        longest = sorted[low++];
      }
    }
    return longest;
  }

  private int firstNotBelow(int character, int depth, int low, int high) {
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle].written().charAt(depth) < character) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

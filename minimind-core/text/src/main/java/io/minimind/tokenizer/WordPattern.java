package io.minimind.tokenizer;

import java.util.Map;
import java.util.Optional;

/**
 * How a text is cut into words, within which byte pairs are merged: one scanner per known pattern.
 * What a pattern does not match is a word too.
 */
interface WordPattern {

  /**
   * The end of the word that begins at {@code start}.
   *
   * @param text well-formed UTF-16
   * @param end where the text ends, more than {@code start}
   * @return more than {@code start} and at most {@code end}
   */
  int wordEnd(char[] text, int start, int end);

  /** The whole text is one word. */
  static WordPattern none() {
    return (text, start, end) -> end;
  }

  /**
   * The pattern of GPT-2: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
   * ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}.
   */
  static WordPattern gpt2() {
    return Scanners::gpt2WordEnd;
  }

  /**
   * The pattern of GPT-4, Llama 3 and Qwen: {@code
   * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
   * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}.
   *
   * @param digits how many numbers make a word at most: 3 for GPT-4 and Llama 3, 1 for Qwen
   */
  static WordPattern gpt4(int digits) {
    return (text, start, end) -> Scanners.gpt4WordEnd(text, start, end, digits);
  }

  /**
   * {@code \p{N}{1,digits}}: numbers apart from the rest.
   *
   * @param digits how many numbers make a word at most
   */
  static WordPattern numbers(int digits) {
    return (text, start, end) -> Scanners.numbersWordEnd(text, start, end, digits);
  }

  /** Punctuation apart from the rest, each character for itself. */
  static WordPattern punctuation() {
    return (text, start, end) -> {
      int at = start;
      while (at < end && !GeneralCategory.isPunctuation(Character.codePointAt(text, at, end))) {
        at += Character.isHighSurrogate(text[at]) ? 2 : 1;
      }
      return at == start ? start + (Character.isHighSurrogate(text[at]) ? 2 : 1) : at;
    };
  }

  /** A text apart from the rest. */
  static WordPattern literal(String written) {
    TextNormalizer.WordFinder finder = TextNormalizer.WordFinder.literal(written);
    return (text, start, end) -> {
      int behind = finder.matchEnd(text, start, end);
      if (behind >= 0) {
        return behind;
      }
      int at = start + 1;
      while (at < end && finder.matchEnd(text, at, end) < 0) {
        at++;
      }
      return at;
    };
  }

  /** Cut before each of a character. */
  static WordPattern before(char mark) {
    return (text, start, end) -> {
      int at = start + 1;
      while (at < end && text[at] != mark) {
        at++;
      }
      return at;
    };
  }

  /** Cut behind each of a character. */
  static WordPattern behind(char mark) {
    return (text, start, end) -> {
      int at = start;
      while (at < end && text[at] != mark) {
        at++;
      }
      return Math.min(at + 1, end);
    };
  }

  /** The scanner that cuts as a regular expression does, if there is one. */
  static Optional<WordPattern> ofRegex(String regex) {
    WordPattern scanner = Scanners.BY_REGEX.get(regex);
    return scanner != null
        ? Optional.of(scanner)
        : PatternExpression.of(regex).map(WordPattern.class::cast);
  }

  /** Whether a regular expression is known to leave nothing between its matches. */
  static boolean matchesAll(String regex) {
    return Scanners.BY_REGEX.containsKey(regex) && regex.endsWith("|\\s+(?!\\S)|\\s+")
        || regex.equals(Scanners.GPT4O);
  }

  /** The scanners. */
  final class Scanners {

    private static final String GPT4_WORDS =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}";
    private static final String GPT4_REST =
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String GPT4O_CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|";
    private static final String GPT4O =
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
            + GPT4O_CONTRACTION
            + "[^\\r"
            + "\\n"
            + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
            + GPT4O_CONTRACTION
            + "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /** Possessive and greedy quantifiers cut alike in these patterns. */
    private static final Map<String, WordPattern> BY_REGEX =
        Map.of(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            gpt2(),
            GPT4_WORDS + "{1,3}" + GPT4_REST,
            gpt4(3),
            GPT4_WORDS + GPT4_REST,
            gpt4(1),
            GPT4_WORDS + "+" + GPT4_REST,
            gpt4(Integer.MAX_VALUE),
            "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
                + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
            gpt4(3),
            "\\p{N}{1,3}",
            numbers(3),
            "\\p{N}",
            numbers(1),
            "\\p{N}+",
            numbers(Integer.MAX_VALUE));

    private Scanners() {}

    private static int gpt2WordEnd(char[] text, int start, int end) {
      char first = text[start];
      if (first == '\'') {
        int length = contraction(text, start + 1, end, false);
        if (length > 0) {
          return start + 1 + length;
        }
      }
      byte kind = kindAt(text, start, end);
      if (kind != CharacterClass.SPACE) {
        return runEnd(text, start, end, kind);
      }
      if (first == ' ' && start + 1 < end) {
        byte next = kindAt(text, start + 1, end);
        if (next != CharacterClass.SPACE) {
          return runEnd(text, start + 1, end, next);
        }
      }
      return spacesEnd(start, runEnd(text, start, end, CharacterClass.SPACE), end);
    }

    private static int gpt4WordEnd(char[] text, int start, int end, int digits) {
      char first = text[start];
      if (first == '\'') {
        int length = contraction(text, start + 1, end, true);
        if (length > 0) {
          return start + 1 + length;
        }
      }
      byte kind = kindAt(text, start, end);
      if (kind == CharacterClass.LETTER) {
        return runEnd(text, start, end, CharacterClass.LETTER);
      }
      if (kind == CharacterClass.NUMBER) {
        return numbersEnd(text, start, end, digits);
      }
      int second = start + (Character.isHighSurrogate(first) ? 2 : 1);
      byte next = second < end ? kindAt(text, second, end) : CharacterClass.SPACE;
      if (next == CharacterClass.LETTER && !isLineEnd(first)) {
        return runEnd(text, second, end, CharacterClass.LETTER);
      }
      if (kind == CharacterClass.OTHER || first == ' ' && next == CharacterClass.OTHER) {
        int at = kind == CharacterClass.OTHER ? start : second;
        at = runEnd(text, at, end, CharacterClass.OTHER);
        while (at < end && isLineEnd(text[at])) {
          at++;
        }
        return at;
      }
      int stop = runEnd(text, start, end, CharacterClass.SPACE);
      for (int at = stop; at > start; at--) {
        if (isLineEnd(text[at - 1])) {
          return at;
        }
      }
      return spacesEnd(start, stop, end);
    }

    private static int numbersWordEnd(char[] text, int start, int end, int digits) {
      if (kindAt(text, start, end) == CharacterClass.NUMBER) {
        return numbersEnd(text, start, end, digits);
      }
      int at = start;
      while (at < end && kindAt(text, at, end) != CharacterClass.NUMBER) {
        at += Character.isHighSurrogate(text[at]) ? 2 : 1;
      }
      return at;
    }

    private static int numbersEnd(char[] text, int start, int end, int digits) {
      int at = start;
      for (int count = 0; count < digits && at < end; count++) {
        if (kindAt(text, at, end) != CharacterClass.NUMBER) {
          break;
        }
        at += Character.isHighSurrogate(text[at]) ? 2 : 1;
      }
      return at;
    }

    /** A longer run of whitespace leaves its last to what follows. */
    private static int spacesEnd(int start, int stop, int end) {
      return stop < end && stop - start > 1 ? stop - 1 : stop;
    }

    /** The number of letters of the contraction ('s, 't, 're ...) that ends here, or 0. */
    private static int contraction(char[] text, int at, int end, boolean anyCase) {
      if (at == end) {
        return 0;
      }
      char first = letter(text[at], anyCase);
      if (first == 's' || first == 't' || first == 'm' || first == 'd') {
        return 1;
      }
      if (at + 1 == end) {
        return 0;
      }
      char second = letter(text[at + 1], anyCase);
      boolean two =
          first == 'r' && second == 'e'
              || first == 'v' && second == 'e'
              || first == 'l' && second == 'l';
      return two ? 2 : 0;
    }

    private static char letter(char c, boolean anyCase) {
      if (anyCase && c >= 'A' && c <= 'Z') {
        return (char) (c + 'a' - 'A');
      }
      // The long s is the one other character whose case folds to a letter of a contraction.
      return anyCase && c == '\u017F' ? 's' : c;
    }

    /** The end of the run of one class that begins at {@code start}. */
    private static int runEnd(char[] text, int start, int end, byte kind) {
      int at = start;
      while (at < end) {
        char c = text[at];
        if (Character.isHighSurrogate(c)) {
          if (kindAt(text, at, end) != kind) {
            break;
          }
          at += 2;
        } else {
          if (CharacterClass.of(c) != kind) {
            break;
          }
          at++;
        }
      }
      return at;
    }

    private static byte kindAt(char[] text, int at, int end) {
      return CharacterClass.of(Character.codePointAt(text, at, end));
    }

    private static boolean isLineEnd(char c) {
      return c == '\r' || c == '\n';
    }
  }
}

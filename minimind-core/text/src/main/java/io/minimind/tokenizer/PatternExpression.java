package io.minimind.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;

/**
 * A regular expression of a pre-tokenizer, as far as such expressions go: classes, categories,
 * groups, alternatives, greedy and possessive quantifiers, look-ahead. It matches as the
 * reference's engine does, by backtracking: the first alternative that leads to a match wins.
 * Whatever else an expression holds makes {@link #of} give nothing.
 */
final class PatternExpression implements WordPattern, TextNormalizer.WordFinder {

  /** What follows a part of the expression; gives where the whole match ends, or {@link #NONE}. */
  private interface Next {
    int match(char[] text, int at, int end);
  }

  /** A part of the expression. */
  private interface Part {
    int match(char[] text, int at, int end, Next next);
  }

  private static final int NONE = -1;

  private final Part whole;

  private PatternExpression(Part whole) {
    this.whole = whole;
  }

  /** The expression, if this class knows all that it holds and it never matches nothing. */
  static Optional<PatternExpression> of(String regex) {
    try {
      Parser parser = new Parser(regex);
      Node node = parser.alternatives();
      return parser.at == regex.length() && node.shortest() > 0
          ? Optional.of(new PatternExpression(node.part()))
          : Optional.empty();
    } catch (UnsupportedOperationException e) {
      return Optional.empty();
    }
  }

  @Override
  public int matchEnd(char[] text, int start, int end) {
    return whole.match(text, start, end, (t, at, e) -> at);
  }

  @Override
  public int wordEnd(char[] text, int start, int end) {
    int at = matchEnd(text, start, end);
    if (at != NONE) {
      return at;
    }
    at = start;
    do {
      at += Character.isHighSurrogate(text[at]) ? 2 : 1;
    } while (at < end && matchEnd(text, at, end) == NONE);
    return at;
  }

  /**
   * A part and what the length of its matches is.
   *
   * @param characters what it matches, if that is always a single character
   * @param shortest how many characters it matches at least
   */
  private record Node(Part part, Optional<IntPredicate> characters, int shortest) {

    static Node of(IntPredicate set) {
      return new Node(
          (text, at, end, next) -> {
            if (at == end) {
              return NONE;
            }
            int c = Character.codePointAt(text, at, end);
            return set.test(c) ? next.match(text, at + Character.charCount(c), end) : NONE;
          },
          Optional.of(set),
          1);
    }

    static Node sequence(List<Node> nodes) {
      if (nodes.size() == 1) {
        return nodes.get(0);
      }
      Part[] parts = nodes.stream().map(Node::part).toArray(Part[]::new);
      return new Node(
          (text, at, end, next) -> follow(parts, 0, text, at, end, next),
          Optional.empty(),
          nodes.stream().mapToInt(Node::shortest).sum());
    }

    private static int follow(Part[] parts, int i, char[] text, int at, int end, Next next) {
      return i == parts.length
          ? next.match(text, at, end)
          : parts[i].match(text, at, end, (t, a, e) -> follow(parts, i + 1, t, a, e, next));
    }

    static Node either(List<Node> nodes) {
      if (nodes.size() == 1) {
        return nodes.get(0);
      }
      Part[] parts = nodes.stream().map(Node::part).toArray(Part[]::new);
      return new Node(
          (text, at, end, next) -> {
            for (Part part : parts) {
              int match = part.match(text, at, end, next);
              if (match != NONE) {
                return match;
              }
            }
            return NONE;
          },
          Optional.empty(),
          nodes.stream().mapToInt(Node::shortest).min().orElseThrow());
    }

    /** Matches nothing, where this node does not match, or where it does. */
    Node ahead(boolean wanted) {
      return new Node(
          (text, at, end, next) ->
              (part.match(text, at, end, (t, a, e) -> a) != NONE) == wanted
                  ? next.match(text, at, end)
                  : NONE,
          Optional.empty(),
          0);
    }

    Node repeated(int fewest, int most, boolean possessive) {
      Part repeated =
          characters.isPresent()
              ? run(characters.get(), fewest, most, possessive)
              : groups(fewest, most, possessive);
      return new Node(repeated, Optional.empty(), fewest * shortest);
    }

    /** As many as there are, and fewer where the rest does not match then. */
    private static Part run(IntPredicate set, int fewest, int most, boolean possessive) {
      return (text, start, end, next) -> {
        int at = start;
        int count = 0;
        while (count < most && at < end) {
          int c = Character.codePointAt(text, at, end);
          if (!set.test(c)) {
            break;
          }
          at += Character.charCount(c);
          count++;
        }
        for (; count >= fewest; count--) {
          int match = next.match(text, at, end);
          if (match != NONE || possessive) {
            return match;
          }
          at -= at > start && Character.isLowSurrogate(text[at - 1]) ? 2 : 1;
        }
        return NONE;
      };
    }

    private Part groups(int fewest, int most, boolean possessive) {
      if (most > 1 || possessive) {
        // No expression in use has them, and their recursion would be as deep as the text is long.
        throw new UnsupportedOperationException();
      }
      return (text, at, end, next) -> {
        int match = part.match(text, at, end, next);
        return match == NONE && fewest == 0 ? next.match(text, at, end) : match;
      };
    }
  }

  /** Reads an expression from left to right; throws where it holds something else. */
  private static final class Parser {
    private final String regex;
    private int at;
    private boolean anyCase;

    Parser(String regex) {
      this.regex = regex;
    }

    Node alternatives() {
      List<Node> alternatives = new ArrayList<>();
      do {
        alternatives.add(sequence());
      } while (take("|"));
      return Node.either(alternatives);
    }

    private Node sequence() {
      List<Node> nodes = new ArrayList<>();
      while (at < regex.length() && "|)".indexOf(regex.charAt(at)) < 0) {
        nodes.add(quantified(single()));
      }
      if (nodes.isEmpty()) {
        throw new UnsupportedOperationException();
      }
      return Node.sequence(nodes);
    }

    private Node single() {
      if (take("(?!") || take("(?=")) {
        boolean wanted = regex.charAt(at - 1) == '=';
        Node node = alternatives();
        require(")");
        return node.ahead(wanted);
      }
      if (take("(?i:")) {
        boolean outside = anyCase;
        anyCase = true;
        Node node = alternatives();
        anyCase = outside;
        require(")");
        return node;
      }
      if (take("(?:") || at + 1 < regex.length() && regex.charAt(at + 1) != '?' && take("(")) {
        Node node = alternatives();
        require(")");
        return node;
      }
      if (take("[")) {
        return Node.of(set());
      }
      if ("()^$.*+?{}]".indexOf(regex.charAt(at)) >= 0) {
        throw new UnsupportedOperationException();
      }
      return Node.of(member());
    }

    private Node quantified(Node node) {
      if (take("{")) {
        int fewest = number();
        int most = take(",") ? regex.charAt(at) == '}' ? Integer.MAX_VALUE : number() : fewest;
        require("}");
        // A plus behind a count is another quantifier in the reference's syntax.
        if (at < regex.length() && "+?*{".indexOf(regex.charAt(at)) >= 0 || most < fewest) {
          throw new UnsupportedOperationException();
        }
        return node.repeated(fewest, most, false);
      }
      int fewest = at < regex.length() && regex.charAt(at) == '+' ? 1 : 0;
      int most = at < regex.length() && regex.charAt(at) == '?' ? 1 : Integer.MAX_VALUE;
      if (!take("?") && !take("*") && !take("+")) {
        return node;
      }
      boolean possessive = take("+");
      if (at < regex.length() && "+?*{".indexOf(regex.charAt(at)) >= 0) {
        throw new UnsupportedOperationException();
      }
      return node.repeated(fewest, most, possessive);
    }

    private int number() {
      int start = at;
      while (at < regex.length() && at - start < 6 && Character.isDigit(regex.charAt(at))) {
        at++;
      }
      if (start == at) {
        throw new UnsupportedOperationException();
      }
      return Integer.parseInt(regex.substring(start, at));
    }

    /** The rest of a class whose bracket has been read. */
    private IntPredicate set() {
      boolean negated = take("^");
      List<IntPredicate> members = new ArrayList<>();
      while (!take("]")) {
        if (at >= regex.length() || regex.startsWith("&&", at) || regex.startsWith("[:", at)) {
          throw new UnsupportedOperationException();
        }
        if (take("[")) {
          members.add(set());
          continue;
        }
        int first = at;
        IntPredicate member = member();
        if (regex.startsWith("-", at) && !regex.startsWith("-]", at)) {
          at = first;
          int from = literal();
          require("-");
          int to = literal();
          if (anyCase || from > to) {
            throw new UnsupportedOperationException();
          }
          member = c -> c >= from && c <= to;
        }
        members.add(member);
      }
      IntPredicate[] all = members.toArray(IntPredicate[]::new);
      if (all.length == 0) {
        throw new UnsupportedOperationException();
      }
      return c -> {
        for (IntPredicate member : all) {
          if (member.test(c)) {
            return !negated;
          }
        }
        return negated;
      };
    }

    /** A character, or an escape that stands for a class. */
    private IntPredicate member() {
      if (take("\\s")) {
        return c -> CharacterClass.of(c) == CharacterClass.SPACE;
      }
      if (take("\\S")) {
        return c -> CharacterClass.of(c) != CharacterClass.SPACE;
      }
      if (take("\\d") || take("\\D")) {
        return category("Nd", regex.charAt(at - 1) == 'D');
      }
      if (take("\\p{") || take("\\P{")) {
        boolean negated = regex.charAt(at - 2) == 'P' ^ take("^");
        int close = regex.indexOf('}', at);
        if (close < 0) {
          throw new UnsupportedOperationException();
        }
        String name = regex.substring(at, close);
        at = close + 1;
        return category(name, negated);
      }
      int literal = literal();
      if (!anyCase || !Character.isLetter(literal)) {
        return c -> c == literal;
      }
      if (literal >= 0x80) {
        throw new UnsupportedOperationException();
      }
      int lower = Character.toLowerCase(literal);
      // Two characters beyond ASCII fold to letters in it: the long s and the sign of the kelvin.
      int other = lower == 's' ? 0x17F : lower == 'k' ? 0x212A : lower;
      return c -> c == lower || c == Character.toUpperCase(lower) || c == other;
    }

    private IntPredicate category(String name, boolean negated) {
      int bits = GeneralCategory.bits(name);
      boolean ofCase = (bits & GeneralCategory.bits("L")) != 0 && !name.equals("L");
      if (bits == 0 || name.equals("C") || name.equals("Cs") || anyCase && ofCase) {
        throw new UnsupportedOperationException();
      }
      return c -> (bits >> GeneralCategory.of(c) & 1) != 0 ^ negated;
    }

    private int literal() {
      if (at >= regex.length()) {
        throw new UnsupportedOperationException();
      }
      int c = regex.codePointAt(at);
      at += Character.charCount(c);
      if (c != '\\') {
        return c;
      }
      if (at >= regex.length()) {
        throw new UnsupportedOperationException();
      }
      char escaped = regex.charAt(at++);
      return switch (escaped) {
        case 'n' -> '\n';
        case 'r' -> '\r';
        case 't' -> '\t';
        case 'u' -> hexadecimal(4);
        case 'x' -> regex.startsWith("{", at) ? braced() : hexadecimal(2);
        default -> {
          if (escaped >= 0x80 || Character.isLetterOrDigit(escaped)) {
            throw new UnsupportedOperationException();
          }
          yield escaped;
        }
      };
    }

    private int braced() {
      int close = regex.indexOf('}', at);
      at++;
      int value = close < at ? -1 : hexadecimal(close - at);
      require("}");
      return value;
    }

    private int hexadecimal(int digits) {
      if (at + digits > regex.length() || digits < 1 || digits > 6) {
        throw new UnsupportedOperationException();
      }
      String text = regex.substring(at, at + digits);
      at += digits;
      if (!text.matches("[0-9A-Fa-f]+")) {
        throw new UnsupportedOperationException();
      }
      return Integer.parseInt(text, 16);
    }

    private boolean take(String expected) {
      if (regex.startsWith(expected, at)) {
        at += expected.length();
        return true;
      }
      return false;
    }

    private void require(String expected) {
      if (!take(expected)) {
        throw new UnsupportedOperationException();
      }
    }
  }
}

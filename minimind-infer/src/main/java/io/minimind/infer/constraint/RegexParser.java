package io.minimind.infer.constraint;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Sequence;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Reads the regular expressions that {@link Constraints#regex} describes. Where the dialects of
 * Java and ECMAScript disagree about a class, such as whether {@code \s} has the no-break space,
 * neither it nor its complement gets the characters in question, so that both agree with the text.
 */
final class RegexParser {
  private static final int MOST_REPETITIONS = 10_000;
  private static final int DEEPEST_GROUP = 200;
  private static final BitSet DIGITS = CodePoints.of("0123456789");
  private static final BitSet WORD =
      CodePoints.of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  private static final BitSet SPACES = CodePoints.of(" \t\n\r\f\u000B");
  private static final BitSet ALL_SPACES =
      CodePoints.union(
          SPACES,
          CodePoints.union(
              CodePoints.range(0x2000, 0x200A),
              CodePoints.of("\u0085\u00A0\u1680\u180E\u2028\u2029\u202F\u205F\u3000\uFEFF")));
  private static final BitSet LINE_ENDS = CodePoints.of("\n\r\u0085\u2028\u2029");

  private final String pattern;
  private final Optional<Expression> around;
  private int at;
  private int depth;

  private RegexParser(String pattern, Optional<Expression> around) {
    this.pattern = pattern;
    this.around = around;
  }

  /** The texts that match as a whole. */
  static Expression matching(String pattern) {
    return new RegexParser(pattern, Optional.empty()).parse();
  }

  /**
   * The texts in which a match can be found.
   *
   * @param around what may stand before and after it where it is not anchored
   */
  static Expression containing(String pattern, Expression around) {
    return new RegexParser(pattern, Optional.of(around)).parse();
  }

  private Expression parse() {
    Expression parsed = alternatives();
    if (at < pattern.length()) {
      throw refusal("a ) that closes nothing");
    }
    return parsed;
  }

  private Expression alternatives() {
    List<Expression> options = new ArrayList<>();
    do {
      options.add(depth == 0 ? anchored() : branch());
    } while (accept('|'));
    return options.size() == 1 ? options.get(0) : new Choice(options);
  }

  private Expression anchored() {
    Expression before = accept('^') ? Expression.EMPTY : around.orElse(Expression.EMPTY);
    Expression middle = branch();
    Expression after = accept('$') ? Expression.EMPTY : around.orElse(Expression.EMPTY);
    if (at < pattern.length() && peek() != '|' && peek() != ')') {
      throw refusal("a $ that is not at the end");
    }
    return Expression.sequence(before, middle, after);
  }

  private Expression branch() {
    List<Expression> parts = new ArrayList<>();
    while (at < pattern.length() && "|)$".indexOf(peek()) < 0) {
      parts.add(quantified(atom()));
    }
    if (depth > 0 && at < pattern.length() && peek() == '$') {
      throw refusal("a $ inside a group");
    }
    return new Sequence(parts);
  }

  private Expression quantified(Expression atom) {
    Expression result = atom;
    if (accept('*')) {
      result = Expression.any(atom);
    } else if (accept('+')) {
      result = new Repeat(atom, 1, Expression.UNBOUNDED);
    } else if (accept('?')) {
      result = Expression.optional(atom);
    } else if (accept('{')) {
      int least = count();
      int most = least;
      if (accept(',')) {
        most = at < pattern.length() && peek() == '}' ? Expression.UNBOUNDED : count();
      }
      if (!accept('}') || most < least) {
        throw refusal("a quantifier that is not {m}, {m,} or {m,n} with m at most n");
      }
      result = new Repeat(atom, least, most);
    }
    if (result != atom && at < pattern.length() && "*+?{".indexOf(peek()) >= 0) {
      throw refusal("a lazy, possessive or repeated quantifier");
    }
    return result;
  }

  private int count() {
    int start = at;
    while (at < pattern.length() && Character.digit(peek(), 10) >= 0 && at - start < 6) {
      at++;
    }
    int count = at == start ? -1 : Integer.parseInt(pattern.substring(start, at));
    if (count < 0 || count > MOST_REPETITIONS) {
      throw refusal("a quantifier without a number from 0 to " + MOST_REPETITIONS);
    }
    return count;
  }

  private Expression atom() {
    int c = next();
    switch (c) {
      case '(':
        return group();
      case '[':
        return new Characters(characterClass());
      case '.':
        return new Characters(CodePoints.complement(LINE_ENDS));
      case '\\':
        return new Characters(escape(false));
      case '*', '+', '?', '{':
        at--;
        throw refusal("a quantifier with nothing to repeat");
      case '^':
        at--;
        throw refusal("a ^ that is not at the beginning");
      default:
        return new Characters(CodePoints.range(c, c));
    }
  }

  private Expression group() {
    if (accept('?') && !accept(':')) {
      throw refusal("a group of a kind other than (...) and (?:...)");
    }
    if (++depth > DEEPEST_GROUP) {
      throw refusal("groups nested more than " + DEEPEST_GROUP + " deep");
    }
    Expression inside = alternatives();
    depth--;
    if (!accept(')')) {
      throw refusal("a group without an end");
    }
    return inside;
  }

  private BitSet characterClass() {
    boolean negated = accept('^');
    BitSet set = new BitSet();
    boolean first = true;
    while (first || peekInClass() != ']') {
      first = false;
      int start = at;
      int c = next();
      if (c == '[' || c == ']' || c == '&' && at < pattern.length() && peek() == '&') {
        at = start;
        throw refusal("a [, ] or && in a class; write a backslash before it");
      }
      BitSet part = c == '\\' ? escape(negated) : CodePoints.range(c, c);
      if (peekInClass() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
        at++;
        int low = part.nextSetBit(0);
        int last = next();
        BitSet end = last == '\\' ? escape(negated) : CodePoints.range(last, last);
        int high = end.nextSetBit(0);
        if (part.cardinality() != 1 || end.cardinality() != 1 || low > high) {
          throw refusal("a range in a class that does not go from a character to a later one");
        }
        part = CodePoints.range(low, high);
      }
      set.or(part);
    }
    at++;
    if (negated) {
      set = CodePoints.complement(set);
    }
    if (set.isEmpty()) {
      throw refusal("a class without characters");
    }
    return set;
  }

  private int peekInClass() {
    if (at >= pattern.length()) {
      throw refusal("a class without an end");
    }
    return peek();
  }

  /**
   * @param wide whether it stands in a negated class
   */
  private BitSet escape(boolean wide) {
    int start = at - 1;
    if (at >= pattern.length()) {
      throw refusal("a backslash with nothing behind it");
    }
    int c = next();
    switch (c) {
      case 'd':
        return DIGITS;
      case 'D':
        return CodePoints.complement(DIGITS);
      case 'w':
        return WORD;
      case 'W':
        return CodePoints.complement(WORD);
      case 's':
        return wide ? ALL_SPACES : SPACES;
      case 'S':
        return CodePoints.complement(wide ? SPACES : ALL_SPACES);
      case 'n':
        return CodePoints.of("\n");
      case 'r':
        return CodePoints.of("\r");
      case 't':
        return CodePoints.of("\t");
      case 'f':
        return CodePoints.of("\f");
      case 'x':
        return hexadecimal(2);
      case 'u':
        return hexadecimal(4);
      default:
        if (c < 0x80 && (Character.isLetterOrDigit(c))) {
          at = start;
          throw refusal("\\" + (char) c);
        }
        return CodePoints.range(c, c);
    }
  }

  private BitSet hexadecimal(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < pattern.length() ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw refusal("an escape that lacks some of its " + digits + " hexadecimal digits");
      }
      value = 16 * value + digit;
      at++;
    }
    BitSet set = CodePoints.range(value, value);
    if (set.isEmpty()) {
      throw refusal("an escaped surrogate; write the character itself");
    }
    return set;
  }

  private boolean accept(char c) {
    boolean found = at < pattern.length() && peek() == c;
    if (found) {
      at++;
    }
    return found;
  }

  private char peek() {
    return pattern.charAt(at);
  }

  private int next() {
    if (at >= pattern.length()) {
      throw refusal("a class without an end");
    }
    int c = pattern.codePointAt(at);
    if (Character.isBmpCodePoint(c) && Character.isSurrogate((char) c)) {
      throw refusal("an unpaired surrogate");
    }
    at += Character.charCount(c);
    return c;
  }

  private IllegalArgumentException refusal(String what) {
    return new ArgumentException(
        "The pattern \"%s\" has, at position %d, %s, which is not supported."
            .formatted(pattern, at, what));
  }
}

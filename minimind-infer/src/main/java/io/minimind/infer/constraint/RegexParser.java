package io.minimind.infer.constraint;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.Expression.Both;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Not;
import io.minimind.infer.constraint.Expression.Repeat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads the regular expressions that {@link Constraints#regex} describes. Where the dialects of
 * Java and ECMAScript disagree about a class, such as whether {@code \s} has the no-break space,
 * neither it nor its complement gets the characters in question, so that both agree with the text.
 * What must not match gets them all.
 */
final class RegexParser {
  private static final int MOST_REPETITIONS = 1_000_000;
  private static final int DEEPEST_GROUP = 200;
  private static final int LONGEST = 10_000;

  /** Each choice of which one may look ahead, or be an end, doubles the ways to go on. */
  private static final int MOST_WAYS = 1_000;

  private static final CharacterSet DIGITS = CharacterSet.of("0123456789");
  private static final CharacterSet WORD =
      CharacterSet.of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  private static final CharacterSet SPACES = CharacterSet.of(" \t\n\r\f\u000B");
  private static final CharacterSet ALL_SPACES =
      SPACES
          .or(CharacterSet.range(0x2000, 0x200A))
          .or(CharacterSet.of("\u0085\u00A0\u1680\u180E\u2028\u2029\u202F\u205F\u3000\uFEFF"));
  private static final CharacterSet LINE_ENDS = CharacterSet.of("\n\r\u0085\u2028\u2029");
  private static final Expression ANYTHING = Expression.any(new Characters(CharacterSet.ALL));

  /** General categories of Unicode, as the bits of {@link Character#getType}. */
  private static final Map<String, Integer> CATEGORIES =
      Map.ofEntries(
          Map.entry("L", bits(1, 2, 3, 4, 5)),
          Map.entry("Lu", bits(1)),
          Map.entry("Ll", bits(2)),
          Map.entry("Lt", bits(3)),
          Map.entry("Lm", bits(4)),
          Map.entry("Lo", bits(5)),
          Map.entry("M", bits(6, 7, 8)),
          Map.entry("N", bits(9, 10, 11)),
          Map.entry("Nd", bits(9)),
          Map.entry("Z", bits(12, 13, 14)),
          Map.entry("Zs", bits(12)),
          Map.entry("P", bits(20, 21, 22, 23, 24, 29, 30)),
          Map.entry("S", bits(25, 26, 27, 28)));

  private static final Map<Integer, CharacterSet> CATEGORY_SETS = new ConcurrentHashMap<>();

  /** What a pattern consists of. */
  private sealed interface Part permits Set, Sequence, Choice, Quantified, Look, Edge {}

  private record Set(CharacterSet set) implements Part {}

  private record Sequence(List<Part> parts) implements Part {}

  private record Choice(List<Part> options) implements Part {}

  private record Quantified(Part part, int least, int most) implements Part {}

  private record Look(Part ahead, boolean negative, int at) implements Part {}

  private record Edge(boolean start) implements Part {}

  /**
   * What may come from a place on.
   *
   * @param fromStart whether only where the text begins
   * @param toEnd whether it goes to the end of the text
   */
  private record Rest(boolean fromStart, boolean toEnd, Expression text) {}

  private final String pattern;
  private final Expression around;
  private boolean wide; // whether characters in question belong to a class
  private int at;
  private int depth;

  private RegexParser(String pattern, Expression around, boolean wide) {
    this.pattern = pattern;
    this.around = around;
    this.wide = wide;
  }

  /** The texts that match as a whole. */
  static Expression matching(String pattern) {
    return new RegexParser(pattern, Expression.EMPTY, false).parse();
  }

  /** The texts in which a match can be found. */
  static Expression containing(String pattern) {
    return new RegexParser(pattern, Json.CHARACTERS, false).parse();
  }

  /** As {@link #containing}, with the texts in which some dialect might find a match. */
  static Expression perhapsContaining(String pattern) {
    return new RegexParser(pattern, ANYTHING, true).parse();
  }

  private Expression parse() {
    if (pattern.length() > LONGEST) {
      throw new ArgumentException(
          "A pattern has %d characters, which is not supported; expected up to %d."
              .formatted(pattern.length(), LONGEST));
    }
    Part parsed = alternatives();
    if (at < pattern.length()) {
      throw refusal("a ) that closes nothing");
    }
    List<Expression> options = new ArrayList<>();
    for (Rest rest : before(parsed, List.of(new Rest(false, false, Expression.EMPTY)))) {
      options.add(
          rest.fromStart()
              ? completed(rest)
              : around == Expression.EMPTY
                  ? completed(rest)
                  : Expression.sequence(around, completed(rest)));
    }
    return Expression.choice(options);
  }

  private Expression completed(Rest rest) {
    return rest.toEnd() || around == Expression.EMPTY
        ? rest.text()
        : Expression.sequence(rest.text(), around);
  }

  // From parts to expressions, from the end to the beginning

  private List<Rest> before(Part part, List<Rest> rests) {
    if (isPlain(part)) {
      Expression expression = expression(part);
      boolean nullable = Repeats.isNullable(expression);
      List<Rest> result = new ArrayList<>();
      for (Rest rest : rests) {
        if (!rest.fromStart()) {
          result.add(new Rest(false, rest.toEnd(), Expression.sequence(expression, rest.text())));
        } else if (nullable) {
          result.add(rest);
        }
      }
      return result;
    } else if (part instanceof Sequence sequence) {
      List<Rest> result = rests;
      for (int i = sequence.parts().size() - 1; i >= 0; i--) {
        result = before(sequence.parts().get(i), result);
      }
      return result;
    } else if (part instanceof Choice choice) {
      List<Rest> result = new ArrayList<>();
      for (Part option : choice.options()) {
        result.addAll(before(option, rests));
        limit(result);
      }
      return result;
    } else if (part instanceof Edge edge) {
      List<Rest> result = new ArrayList<>();
      for (Rest rest : rests) {
        if (edge.start()) {
          result.add(new Rest(true, rest.toEnd(), rest.text()));
        } else if (Repeats.isNullable(rest.text())) {
          result.add(new Rest(rest.fromStart(), true, Expression.EMPTY));
        }
      }
      return result;
    } else if (part instanceof Look look) {
      return beforeLook(look, rests);
    }
    return beforeQuantified((Quantified) part, rests);
  }

  private void limit(List<Rest> ways) {
    if (ways.size() > MOST_WAYS) {
      throw refusal("more than " + MOST_WAYS + " ways to meet its ^, $ and look-aheads");
    }
  }

  private List<Rest> beforeLook(Look look, List<Rest> rests) {
    List<Expression> ahead = new ArrayList<>();
    for (Rest rest : before(look.ahead(), List.of(new Rest(false, false, Expression.EMPTY)))) {
      if (rest.fromStart()) {
        at = look.at();
        throw refusal("a ^ inside a look-ahead");
      }
      ahead.add(rest.toEnd() ? rest.text() : Expression.sequence(rest.text(), ANYTHING));
    }
    Expression seen = Expression.choice(ahead);
    Expression condition = look.negative() ? new Not(seen) : seen;
    return rests.stream()
        .map(
            rest -> new Rest(rest.fromStart(), true, new Both(List.of(completed(rest), condition))))
        .toList();
  }

  private List<Rest> beforeQuantified(Quantified quantified, List<Rest> rests) {
    if (quantified.least() == 0 && quantified.most() == 1) {
      List<Rest> result = new ArrayList<>(before(quantified.part(), rests));
      result.addAll(rests);
      limit(result);
      return result;
    }
    if (quantified.least() == 1 && quantified.most() == 1) {
      return before(quantified.part(), rests);
    }
    // (?:(?!no).)*$ finds "no" nowhere.
    boolean last =
        rests.stream()
            .allMatch(rest -> rest.toEnd() && !rest.fromStart() && rest.text() == Expression.EMPTY);
    if (last
        && quantified.most() == Expression.UNBOUNDED
        && quantified.part() instanceof Sequence sequence
        && sequence.parts().size() == 2
        && sequence.parts().get(0) instanceof Look look
        && look.negative()
        && sequence.parts().get(1) instanceof Set set
        && isPlain(look.ahead())
        && !Repeats.isNullable(expression(look.ahead()))) {
      Expression free =
          new Repeat(new Characters(set.set()), quantified.least(), quantified.most());
      Expression found = Expression.sequence(ANYTHING, expression(look.ahead()), ANYTHING);
      return List.of(new Rest(false, true, new Both(List.of(free, new Not(found)))));
    }
    throw refusal("a repeated group with ^, $ or a look-ahead in it");
  }

  /** Whether it is an expression by itself. */
  private static boolean isPlain(Part part) {
    if (part instanceof Sequence sequence) {
      return sequence.parts().stream().allMatch(RegexParser::isPlain);
    } else if (part instanceof Choice choice) {
      return choice.options().stream().allMatch(RegexParser::isPlain);
    } else if (part instanceof Quantified quantified) {
      return isPlain(quantified.part());
    }
    return part instanceof Set;
  }

  private static Expression expression(Part part) {
    if (part instanceof Set set) {
      return new Characters(set.set());
    } else if (part instanceof Sequence sequence) {
      List<Expression> parts = sequence.parts().stream().map(RegexParser::expression).toList();
      return parts.size() == 1 ? parts.get(0) : new Expression.Sequence(parts);
    } else if (part instanceof Choice choice) {
      return Expression.choice(choice.options().stream().map(RegexParser::expression).toList());
    }
    Quantified quantified = (Quantified) part;
    return new Repeat(expression(quantified.part()), quantified.least(), quantified.most());
  }

  // From the pattern to parts

  private Part alternatives() {
    List<Part> options = new ArrayList<>();
    do {
      options.add(branch());
    } while (accept('|'));
    return options.size() == 1 ? options.get(0) : new Choice(options);
  }

  private Part branch() {
    List<Part> parts = new ArrayList<>();
    while (at < pattern.length() && "|)".indexOf(peek()) < 0) {
      parts.add(quantified(atom()));
    }
    return new Sequence(parts);
  }

  private Part quantified(Part atom) {
    int least = 1;
    int most = 1;
    int start = at;
    if (accept('*')) {
      least = 0;
      most = Expression.UNBOUNDED;
    } else if (accept('+')) {
      most = Expression.UNBOUNDED;
    } else if (accept('?')) {
      least = 0;
    } else if (isCount() && accept('{')) {
      least = count();
      most = least;
      if (accept(',')) {
        most = peek() == '}' ? Expression.UNBOUNDED : count();
      }
      accept('}');
      if (most < least) {
        throw refusal("a quantifier that is not {m}, {m,} or {m,n} with m at most n");
      }
    }
    if (at == start) {
      return atom;
    }
    if (atom instanceof Edge || atom instanceof Look) {
      at = start;
      throw refusal("a quantifier with nothing to repeat");
    }
    accept('?'); // a lazy one matches the same texts
    if (at < pattern.length() && ("*+?".indexOf(peek()) >= 0 || isCount())) {
      throw refusal("a possessive or repeated quantifier");
    }
    return new Quantified(atom, least, most);
  }

  /** Whether a quantifier in braces begins here; other braces stand for themselves. */
  private boolean isCount() {
    int end = at < pattern.length() && peek() == '{' ? pattern.indexOf('}', at) : -1;
    return end > 0 && pattern.substring(at + 1, end).matches("\\d+(,\\d*)?");
  }

  private int count() {
    int start = at;
    while (Character.digit(peek(), 10) >= 0) {
      at++;
    }
    String digits = pattern.substring(start, at);
    int count = digits.length() > 7 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    if (count > MOST_REPETITIONS) {
      throw refusal("a quantifier without a number from 0 to " + MOST_REPETITIONS);
    }
    return count;
  }

  private Part atom() {
    int c = next();
    switch (c) {
      case '(':
        return group();
      case '[':
        return new Set(characterClass());
      case '.':
        CharacterSet ends = wide ? CharacterSet.of("\n") : LINE_ENDS;
        return new Set(ends.complement());
      case '\\':
        return new Set(escape(false));
      case '*', '+', '?':
        at--;
        throw refusal("a quantifier with nothing to repeat");
      case '^':
        return new Edge(true);
      case '$':
        return new Edge(false);
      default:
        at -= Character.charCount(c);
        if (isCount()) {
          throw refusal("a quantifier with nothing to repeat");
        }
        at += Character.charCount(c);
        return new Set(CharacterSet.range(c, c));
    }
  }

  private Part group() {
    int start = at - 1;
    boolean ahead = false;
    boolean negative = false;
    if (accept('?')) {
      negative = accept('!');
      ahead = negative || accept('=');
      if (!ahead && !accept(':') && !acceptName()) {
        throw refusal("a group of a kind other than (...), (?:...), (?=...) and (?!...)");
      }
    }
    if (++depth > DEEPEST_GROUP) {
      throw refusal("groups nested more than " + DEEPEST_GROUP + " deep");
    }
    wide ^= negative;
    Part inside = alternatives();
    wide ^= negative;
    depth--;
    if (!accept(')')) {
      throw refusal("a group without an end");
    }
    return ahead ? new Look(inside, negative, start) : inside;
  }

  /** Passes over the name of a group. */
  private boolean acceptName() {
    int end = pattern.indexOf('>', at);
    boolean named = end > 0 && pattern.substring(at, end).matches("P?<[A-Za-z_][A-Za-z_0-9]*");
    at = named ? end + 1 : at;
    return named;
  }

  private CharacterSet characterClass() {
    boolean negated = accept('^');
    CharacterSet set = CharacterSet.NONE;
    boolean first = true;
    while (first || peekInClass() != ']') {
      int start = at;
      int c = next();
      if (first && c == ']' || c == '&' && at < pattern.length() && peek() == '&') {
        at = start;
        throw refusal("a leading ] or && in a class; write a backslash before it");
      }
      first = false;
      CharacterSet part = c == '\\' ? escapeInClass(negated) : CharacterSet.range(c, c);
      if (peekInClass() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
        at++;
        int last = next();
        CharacterSet end = last == '\\' ? escapeInClass(negated) : CharacterSet.range(last, last);
        if (!part.isSingle() || !end.isSingle()) {
          // As in [\w-.], where the hyphen stands for itself.
          part = part.or(CharacterSet.of("-")).or(end);
        } else if (part.first() > end.first()) {
          throw refusal("a range in a class that does not go from a character to a later one");
        } else {
          part = CharacterSet.range(part.first(), end.first());
        }
      }
      set = set.or(part);
    }
    at++;
    set = negated ? set.complement() : set;
    if (set.isEmpty()) {
      throw refusal("a class without characters");
    }
    return set;
  }

  private CharacterSet escapeInClass(boolean negated) {
    return at < pattern.length() && accept('b') ? CharacterSet.of("\b") : escape(negated);
  }

  private int peekInClass() {
    if (at >= pattern.length()) {
      throw refusal("a class without an end");
    }
    return peek();
  }

  /**
   * @param negated whether it stands in a negated class
   */
  private CharacterSet escape(boolean negated) {
    boolean generous = wide ^ negated;
    int start = at - 1;
    if (at >= pattern.length()) {
      throw refusal("a backslash with nothing behind it");
    }
    int c = next();
    switch (c) {
      case 'd':
        return DIGITS;
      case 'D':
        return DIGITS.complement();
      case 'w':
        return WORD;
      case 'W':
        return WORD.complement();
      case 's':
        return generous ? ALL_SPACES : SPACES;
      case 'S':
        return (generous ? SPACES : ALL_SPACES).complement();
      case 'n':
        return CharacterSet.of("\n");
      case 'r':
        return CharacterSet.of("\r");
      case 't':
        return CharacterSet.of("\t");
      case 'f':
        return CharacterSet.of("\f");
      case 'v':
        return CharacterSet.of("\u000B");
      case 'x':
        return hexadecimal(2);
      case 'u':
        return at < pattern.length() && peek() == '{' ? codePoint() : hexadecimal(4);
      case 'p', 'P':
        CharacterSet category = category();
        return c == 'p' ? category : category.complement();
      default:
        if (c < 0x80 && Character.isLetterOrDigit(c)) {
          at = start;
          throw refusal("\\" + (char) c);
        }
        return CharacterSet.range(c, c);
    }
  }

  private CharacterSet hexadecimal(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < pattern.length() ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw refusal("an escape that lacks some of its " + digits + " hexadecimal digits");
      }
      value = 16 * value + digit;
      at++;
    }
    CharacterSet set = CharacterSet.range(value, value);
    if (set.isEmpty()) {
      throw refusal("an escaped surrogate; write the character itself");
    }
    return set;
  }

  /** Hexadecimal digits in braces. */
  private CharacterSet codePoint() {
    int end = pattern.indexOf('}', at);
    String digits = end < 0 ? "" : pattern.substring(at + 1, end);
    if (!digits.matches("0*[0-9A-Fa-f]{1,6}") || Integer.parseInt(digits, 16) > 0x10FFFF) {
      throw refusal("a \\u without a code point in its braces");
    }
    at = end + 1;
    int value = Integer.parseInt(digits, 16);
    CharacterSet set = CharacterSet.range(value, value);
    if (set.isEmpty()) {
      throw refusal("an escaped surrogate; write the character itself");
    }
    return set;
  }

  /** A general category in braces. */
  private CharacterSet category() {
    int end = at < pattern.length() && peek() == '{' ? pattern.indexOf('}', at) : -1;
    Integer types = end < 0 ? null : CATEGORIES.get(pattern.substring(at + 1, end));
    if (types == null) {
      throw refusal("a \\p without one of " + new java.util.TreeSet<>(CATEGORIES.keySet()));
    }
    at = end + 1;
    return CATEGORY_SETS.computeIfAbsent(types, RegexParser::characters);
  }

  /** All characters of some categories, which takes a look at each. */
  private static CharacterSet characters(int types) {
    List<int[]> ranges = new ArrayList<>();
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if ((types >> Character.getType(c) & 1) == 1) {
        int first = c;
        while (c < Character.MAX_CODE_POINT && (types >> Character.getType(c + 1) & 1) == 1) {
          c++;
        }
        ranges.add(new int[] {first, c});
      }
    }
    return CharacterSet.ofRanges(ranges);
  }

  private static int bits(int... types) {
    int bits = 0;
    for (int type : types) {
      bits |= 1 << type;
    }
    return bits;
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

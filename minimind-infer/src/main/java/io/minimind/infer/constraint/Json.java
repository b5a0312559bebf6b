package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Members;
import io.minimind.infer.constraint.Expression.Quoted;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Text;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What JSON looks like: without whitespace, but for a space where most people write one. Numbers
 * have up to 15 digits before and after the point, and what must be escaped in a string has one way
 * to be.
 */
final class Json {
  static final CharacterSet ESCAPED = CharacterSet.range(0, 0x1F).or(CharacterSet.of("\"\\"));

  /** What a string may hold; control characters other than a tab and a new line never help. */
  static final CharacterSet CHARACTER =
      CharacterSet.range(0x20, Character.MAX_CODE_POINT).or(CharacterSet.of("\t\n"));

  private static final Expression SPACE = Expression.optional(new Text(" "));

  static final Expression COMMA = Expression.sequence(new Text(","), SPACE);
  static final Expression COLON = Expression.sequence(new Text(":"), SPACE);
  static final Expression CHARACTERS = Expression.any(new Characters(CHARACTER));

  static final Expression NULL = new Text("null");
  static final Expression TRUE = new Text("true");
  static final Expression FALSE = new Text("false");
  static final Expression NUMBER =
      RegexParser.matching("-?(0|[1-9]\\d{0,14})(\\.\\d{1,15})?([eE][+-]?\\d{1,2})?");
  static final Rule STRING = new Rule(new Quoted(CHARACTERS));
  static final Rule VALUE = new Rule();

  static {
    VALUE.define(
        new Choice(
            List.of(
                NULL,
                TRUE,
                FALSE,
                NUMBER,
                STRING,
                array(list(VALUE, 0, Expression.UNBOUNDED)),
                object(
                    new Members(
                        List.of(),
                        other(key(List.of()), VALUE),
                        Expression.NOTHING,
                        0,
                        Expression.UNBOUNDED)))));
  }

  private Json() {}

  static Expression object(Expression members) {
    return Expression.sequence(new Text("{"), members, new Text("}"));
  }

  /**
   * A member of any key.
   *
   * @param key what is accepted between the quotes
   */
  static Rule other(Expression key, Expression value) {
    return new Rule(Expression.sequence(new Quoted(key), COLON, value));
  }

  static Expression array(Expression items) {
    return Expression.sequence(new Text("["), items, new Text("]"));
  }

  /** Items with commas between them. */
  static Expression list(Expression item, int least, int most) {
    if (most == 0) {
      return Expression.EMPTY;
    }
    Expression more =
        new Repeat(
            Expression.sequence(COMMA, item),
            Math.max(0, least - 1),
            most == Expression.UNBOUNDED ? most : most - 1);
    Expression list = Expression.sequence(item, more);
    return least == 0 ? Expression.optional(list) : list;
  }

  /** A key that is none of these names. */
  static Expression key(Collection<String> names) {
    // A tree of the names' characters; its last state is that of all texts that left it.
    List<Map<Integer, Integer>> tree = new ArrayList<>();
    List<Boolean> ends = new ArrayList<>();
    tree.add(new TreeMap<>());
    ends.add(false);
    for (String name : names) {
      int at = 0;
      for (int c : name.codePoints().toArray()) {
        Integer next = tree.get(at).get(c);
        if (next == null) {
          next = tree.size();
          tree.get(at).put(c, next);
          tree.add(new TreeMap<>());
          ends.add(false);
        }
        at = next;
      }
      ends.set(at, true);
    }
    int free = tree.size();
    Machine.State[] states = new Machine.State[free + 1];
    states[free] = new Machine.State(List.of(CHARACTER), new int[] {free}, true);
    for (int i = 0; i < free; i++) {
      List<CharacterSet> sets = new ArrayList<>();
      List<Integer> targets = new ArrayList<>();
      List<int[]> taken = new ArrayList<>();
      tree.get(i)
          .forEach(
              (c, next) -> {
                taken.add(new int[] {c, c});
                sets.add(CharacterSet.range(c, c));
                targets.add(next);
              });
      sets.add(CHARACTER.minus(CharacterSet.ofRanges(taken)));
      targets.add(free);
      states[i] =
          new Machine.State(
              sets, targets.stream().mapToInt(Integer::intValue).toArray(), !ends.get(i));
    }
    return new Accepted(new Machine(states));
  }

  /** As it stands between quotes. */
  static String escaped(String text) {
    if (text.codePoints().noneMatch(ESCAPED::contains)) {
      return text;
    }
    StringBuilder escaped = new StringBuilder();
    text.codePoints().forEach(c -> escaped.append(escaped(c)));
    return escaped.toString();
  }

  private static String escaped(int c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      default -> c < 0x20 ? "\\u%04x".formatted(c) : Character.toString(c);
    };
  }
}

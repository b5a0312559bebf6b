package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What JSON looks like: without whitespace, but for a space where most people write one. Numbers
 * have up to 18 digits, and what must be escaped in a string has one way to be.
 */
final class Json {
  private static final BitSet ESCAPED =
      CodePoints.union(CodePoints.range(0, 0x1F), CodePoints.of("\"\\"));
  private static final BitSet UNESCAPED = CodePoints.complement(ESCAPED);
  private static final Expression SPACE = Expression.optional(new Text(" "));

  static final Expression COMMA = Expression.sequence(new Text(","), SPACE);

  /** What a string may hold; control characters other than a tab and a new line never help. */
  static final Expression CHARACTER =
      new Characters(CodePoints.union(CodePoints.range(0x20, 0x10FFFF), CodePoints.of("\t\n")));

  static final Expression NULL = new Text("null");
  static final Expression BOOLEAN = Expression.choice(new Text("true"), new Text("false"));
  static final Expression NUMBER =
      RegexParser.matching("-?(0|[1-9]\\d{0,14})(\\.\\d{1,15})?([eE][+-]?\\d{1,2})?");
  static final Expression STRING = string(Expression.any(CHARACTER));
  static final Rule VALUE = new Rule();

  static {
    Expression array = array(new Repeat(VALUE, 0, Expression.UNBOUNDED));
    VALUE.define(
        new Choice(
            List.of(
                NULL,
                BOOLEAN,
                NUMBER,
                STRING,
                array,
                object(list(member(key(List.of()), VALUE), 0, Expression.UNBOUNDED)))));
  }

  private Json() {}

  static Expression literal(JsonNode value) {
    return new Text(value.toString());
  }

  /** A string whose value is given by an expression. */
  static Expression string(Expression value) {
    return Expression.sequence(new Text("\""), new Escaper().escaped(value), new Text("\""));
  }

  static Expression object(Expression members) {
    return Expression.sequence(new Text("{"), members, new Text("}"));
  }

  /**
   * @param key as it is written, with its quotes
   */
  static Expression member(Expression key, Expression value) {
    return Expression.sequence(key, new Text(":"), SPACE, value);
  }

  /** As many items as a repetition says, of its body. */
  static Expression array(Repeat items) {
    return array(list(items.body(), items.least(), items.most()));
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

  /** A key that is none of these names; it is written without escapes. */
  static Expression key(Collection<String> names) {
    return Expression.sequence(new Text("\""), otherThan(names.stream().toList()), new Text("\""));
  }

  private static Expression otherThan(List<String> names) {
    List<Expression> options = new ArrayList<>();
    if (!names.contains("")) {
      options.add(Expression.EMPTY);
    }
    BitSet firsts = new BitSet();
    names.stream().filter(name -> !name.isEmpty()).forEach(name -> firsts.set(name.codePointAt(0)));
    for (int first = firsts.nextSetBit(0); first >= 0; first = firsts.nextSetBit(first + 1)) {
      String start = Character.toString(first);
      if (UNESCAPED.get(first)) {
        List<String> rests =
            names.stream()
                .filter(name -> name.startsWith(start))
                .map(name -> name.substring(start.length()))
                .toList();
        options.add(Expression.sequence(new Text(start), otherThan(rests)));
      }
    }
    options.add(
        Expression.sequence(
            new Characters(CodePoints.minus(UNESCAPED, firsts)),
            Expression.any(new Characters(UNESCAPED))));
    return new Choice(options);
  }

  /** Writes characters as they stand between quotes. What is shared stays shared. */
  private static final class Escaper {
    private final Map<Expression, Expression> known = new IdentityHashMap<>();

    Expression escaped(Expression value) {
      Expression found = known.get(value);
      if (found == null) {
        found = find(value);
        known.put(value, found);
      }
      return found;
    }

    private List<Expression> escaped(List<Expression> values) {
      return values.stream().map(this::escaped).toList();
    }

    private Expression find(Expression value) {
      if (value instanceof Characters characters) {
        return characters(characters.set());
      } else if (value instanceof Text text) {
        return new Text(
            text.text().codePoints().mapToObj(Json::escape).collect(Collectors.joining()));
      } else if (value instanceof Sequence sequence) {
        return new Sequence(escaped(sequence.parts()));
      } else if (value instanceof Choice choice) {
        return new Choice(escaped(choice.options()));
      } else if (value instanceof Repeat repeat) {
        return new Repeat(escaped(repeat.body()), repeat.least(), repeat.most());
      } else if (value instanceof Rule rule) {
        return new Rule(escaped(rule.body()));
      }
      throw new IllegalStateException("Unknown expression " + value + ".");
    }

    private static Expression characters(BitSet set) {
      List<Expression> options = new ArrayList<>();
      BitSet special = (BitSet) set.clone();
      special.and(ESCAPED);
      special.stream().mapToObj(c -> new Text(escape(c))).forEach(options::add);
      options.add(new Characters(CodePoints.minus(set, ESCAPED)));
      return options.size() == 1 ? options.get(0) : new Choice(options);
    }
  }

  private static String escape(int c) {
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

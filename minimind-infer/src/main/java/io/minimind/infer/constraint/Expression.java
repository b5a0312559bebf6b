package io.minimind.infer.constraint;

import java.util.List;

/** What a text may look like: a regular expression, or with rules a context-free grammar. */
sealed interface Expression {
  int UNBOUNDED = Integer.MAX_VALUE;
  Expression EMPTY = new Text("");
  Expression NOTHING = new Choice(List.of());

  /** This text and no other. */
  record Text(String text) implements Expression {}

  /** One character of a set. */
  record Characters(CharacterSet set) implements Expression {}

  record Sequence(List<Expression> parts) implements Expression {}

  /** One of several; nothing matches if there are none. */
  record Choice(List<Expression> options) implements Expression {}

  /**
   * @param most may be {@link #UNBOUNDED}
   */
  record Repeat(Expression body, int least, int most) implements Expression {}

  /** What all of several match. None of them has a rule. */
  record Both(List<Expression> parts) implements Expression {}

  /** What an expression without rules does not match. */
  record Not(Expression body) implements Expression {}

  /** What a deterministic automaton accepts. */
  record Accepted(Machine machine) implements Expression {}

  /**
   * A JSON string with its quotes.
   *
   * @param value what stands between them, before it is escaped
   */
  record Quoted(Expression value) implements Expression {}

  /**
   * What an automaton accepts of a number of characters.
   *
   * @param most may be {@link #UNBOUNDED}
   */
  record Counted(Machine machine, int least, int most) implements Expression {}

  /**
   * Some of several different texts, each at most once, in any order, with something between them.
   */
  record Distinct(List<Expression> options, Expression separator, int least, int most)
      implements Expression {}

  /**
   * The members of an object, in their order, with commas between them, and others anywhere.
   *
   * @param other nothing if there are no others
   * @param needed an other that must be there, or nothing; then the numbers say nothing
   * @param least members
   * @param most members, may be {@link #UNBOUNDED}
   */
  record Members(List<Member> named, Expression other, Expression needed, int least, int most)
      implements Expression {}

  /** A key with its value. */
  record Member(Expression key, Expression value, boolean required) {}

  /** A part that may contain itself, though not as its first part. */
  final class Rule implements Expression {
    private Expression body;

    Rule() {}

    Rule(Expression body) {
      this.body = body;
    }

    Expression body() {
      return body;
    }

    void define(Expression expression) {
      body = expression;
    }
  }

  static Expression sequence(Expression... parts) {
    return new Sequence(List.of(parts));
  }

  static Expression choice(Expression... options) {
    return new Choice(List.of(options));
  }

  /** As few of the options as there are. */
  static Expression choice(List<Expression> options) {
    return options.size() == 1 ? options.get(0) : new Choice(options);
  }

  static Expression both(List<Expression> parts) {
    return parts.size() == 1 ? parts.get(0) : new Both(parts);
  }

  static Expression optional(Expression body) {
    return new Repeat(body, 0, 1);
  }

  static Expression any(Expression body) {
    return new Repeat(body, 0, UNBOUNDED);
  }
}

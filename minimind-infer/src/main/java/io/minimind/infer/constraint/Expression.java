package io.minimind.infer.constraint;

import java.util.BitSet;
import java.util.List;

/** What a text may look like: a regular expression, or with rules a context-free grammar. */
sealed interface Expression {
  int UNBOUNDED = Integer.MAX_VALUE;
  Expression EMPTY = new Text("");

  /** This text and no other. */
  record Text(String text) implements Expression {}

  /** One character of a set, which nobody changes any more. */
  record Characters(BitSet set) implements Expression {}

  record Sequence(List<Expression> parts) implements Expression {}

  /** One of several; nothing matches if there are none. */
  record Choice(List<Expression> options) implements Expression {}

  /**
   * @param most may be {@link #UNBOUNDED}
   */
  record Repeat(Expression body, int least, int most) implements Expression {}

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

  static Expression optional(Expression body) {
    return new Repeat(body, 0, 1);
  }

  static Expression any(Expression body) {
    return new Repeat(body, 0, UNBOUNDED);
  }
}

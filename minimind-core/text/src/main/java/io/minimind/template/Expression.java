package io.minimind.template;

import java.util.List;
import java.util.Optional;

/** What has a value. Every node knows its offset in the source. */
sealed interface Expression {

  int offset();

  record Constant(int offset, Object value) implements Expression {}

  record Name(int offset, String name) implements Expression {}

  record Items(int offset, List<Expression> items, boolean isTuple) implements Expression {}

  record Dictionary(int offset, List<Entry> entries) implements Expression {}

  record Entry(Expression key, Expression value) {}

  record Attribute(int offset, Expression target, String name) implements Expression {}

  record Subscript(int offset, Expression target, Expression index) implements Expression {}

  record Slice(
      int offset,
      Expression target,
      Optional<Expression> start,
      Optional<Expression> stop,
      Optional<Expression> step)
      implements Expression {}

  record Call(int offset, Expression target, CallArguments arguments) implements Expression {}

  record Filtered(Expression target, FilterCall filter) implements Expression {

    @Override
    public int offset() {
      return filter.offset();
    }
  }

  record Tested(int offset, Expression target, String name, CallArguments arguments)
      implements Expression {}

  /**
   * @param operator {@code not}, {@code +} or {@code -}
   */
  record Unary(int offset, String operator, Expression operand) implements Expression {}

  record Binary(int offset, String operator, Expression left, Expression right)
      implements Expression {}

  /** {@code and}, {@code or}: the right operand is evaluated only if it decides. */
  record Logical(int offset, boolean isAnd, Expression left, Expression right)
      implements Expression {}

  /** {@code a < b <= c}. */
  record Comparison(int offset, Expression first, List<Comparand> others) implements Expression {}

  record Comparand(String operator, Expression operand) {}

  /** {@code a ~ b ~ c}. */
  record Concatenation(int offset, List<Expression> parts) implements Expression {}

  record Conditional(
      int offset, Expression condition, Expression value, Optional<Expression> otherwise)
      implements Expression {}

  record FilterCall(int offset, String name, CallArguments arguments) {}

  record Keyword(String name, Expression value) {}

  /**
   * @param more a list of further arguments, {@code *more}
   * @param moreKeywords a mapping of further ones, {@code **moreKeywords}
   */
  record CallArguments(
      List<Expression> positional,
      List<Keyword> keywords,
      Optional<Expression> more,
      Optional<Expression> moreKeywords) {

    static final CallArguments NONE =
        new CallArguments(List.of(), List.of(), Optional.empty(), Optional.empty());
  }
}

package io.minimind.infer.constraint;

import io.minimind.infer.constraint.NumberRange.Bound;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Numbers between bounds.
 *
 * @param multiples what they must be multiples of, each of them
 * @param spelling how to write it, if it is a single number that somebody wrote
 */
record NumberSet(
    Kind kind,
    Optional<Bound> least,
    Optional<Bound> most,
    List<BigDecimal> multiples,
    Optional<String> spelling) {
  static final NumberSet ALL =
      new NumberSet(Kind.ANY, Optional.empty(), Optional.empty(), List.of(), Optional.empty());

  /** Numbers beyond these digits are spelt with an exponent. */
  private static final int MOST_PLAIN_DIGITS = 18;

  /** Digits of numbers that are worked out to the last. */
  private static final int MOST_DIGITS = 2_000;

  enum Kind {
    ANY,
    WHOLE,
    BROKEN
  }

  static NumberSet of(BigDecimal value) {
    Optional<Bound> bound = Optional.of(new Bound(value, false));
    boolean plain = Math.abs((long) value.precision() - value.scale()) <= MOST_PLAIN_DIGITS;
    String spelling = plain ? value.toPlainString() : value.toString();
    return new NumberSet(Kind.ANY, bound, bound, List.of(), Optional.of(spelling));
  }

  NumberSet and(NumberSet other) {
    List<BigDecimal> all = new ArrayList<>(multiples);
    other.multiples.stream().filter(multiple -> !all.contains(multiple)).forEach(all::add);
    // Of whole and broken ones there are none, which the bounds say.
    boolean none = kind != Kind.ANY && other.kind != Kind.ANY && kind != other.kind;
    return new NumberSet(
        kind == Kind.ANY ? other.kind : kind,
        none ? Optional.of(new Bound(BigDecimal.ONE, true)) : stricter(least, other.least, 1),
        none ? Optional.of(new Bound(BigDecimal.ONE, true)) : stricter(most, other.most, -1),
        all,
        spelling.or(other::spelling));
  }

  /**
   * @param direction 1 for lower bounds, -1 for upper ones
   */
  static Optional<Bound> stricter(Optional<Bound> one, Optional<Bound> two, int direction) {
    if (one.isEmpty() || two.isEmpty()) {
      return one.or(() -> two);
    }
    int order = direction * one.get().value().compareTo(two.get().value());
    return order > 0 || order == 0 && one.get().exclusive() ? one : two;
  }

  boolean isEmpty() {
    if (least.isPresent() && most.isPresent()) {
      int order = least.get().value().compareTo(most.get().value());
      if (order > 0 || order == 0 && (least.get().exclusive() || most.get().exclusive())) {
        return true;
      }
      if (order == 0) {
        return !isAllowed(least.get().value());
      }
      if (kind == Kind.WHOLE && isShort(least.get().value()) && isShort(most.get().value())) {
        return new NumberRange(least, most).isEmptyOfIntegers();
      }
    }
    return false;
  }

  /** Whether a number between the bounds is of the kind, and a multiple. */
  private boolean isAllowed(BigDecimal value) {
    boolean whole = value.stripTrailingZeros().scale() <= 0;
    return (kind == Kind.ANY || whole == (kind == Kind.WHOLE))
        && multiples.stream().allMatch(multiple -> isMultiple(value, multiple));
  }

  /** Whether it is one, or has too many digits to tell. */
  private static boolean isMultiple(BigDecimal value, BigDecimal multiple) {
    if (value.signum() == 0 || value.abs().compareTo(multiple) < 0) {
      return value.signum() == 0;
    }
    return !isShort(value) || !isShort(multiple) || value.remainder(multiple).signum() == 0;
  }

  private static boolean isShort(BigDecimal value) {
    return Math.abs((long) value.scale()) + value.precision() < MOST_DIGITS;
  }

  /**
   * All other numbers.
   *
   * @throws UnsupportedOperationException if they cannot be told
   */
  List<NumberSet> not() {
    if (!multiples.isEmpty()) {
      throw new UnsupportedOperationException("excludes what is a multiple");
    }
    List<NumberSet> others = new ArrayList<>();
    least.ifPresent(bound -> others.add(between(Optional.empty(), Optional.of(bound.behind()))));
    most.ifPresent(bound -> others.add(between(Optional.of(bound.behind()), Optional.empty())));
    if (kind != Kind.ANY) {
      Kind other = kind == Kind.WHOLE ? Kind.BROKEN : Kind.WHOLE;
      others.add(new NumberSet(other, least, most, List.of(), Optional.empty()));
    }
    return others;
  }

  private static NumberSet between(Optional<Bound> least, Optional<Bound> most) {
    return new NumberSet(Kind.ANY, least, most, List.of(), Optional.empty());
  }
}

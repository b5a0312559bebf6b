package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Both;
import io.minimind.infer.constraint.Expression.Not;
import io.minimind.infer.constraint.Expression.Text;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** How sets of numbers are spelt. */
final class Numbers {
  private static final int MOST_REMAINDERS = 2_000;
  private static final Expression WHOLE = RegexParser.matching("-?(0|[1-9]\\d{0,17})");
  private static final Expression NATURAL = RegexParser.matching("0|[1-9]\\d{0,17}");
  private static final Expression POSITIVE = RegexParser.matching("[1-9]\\d{0,17}");

  /** Of no more digits than a double tells apart. */
  private static final Expression DECIMAL =
      RegexParser.matching("-?(0|[1-9]\\d{0,8})(\\.\\d{1,6})?");

  private static final Expression NOT_NEGATIVE =
      RegexParser.matching("(0|[1-9]\\d{0,14})(\\.\\d{1,15})?");
  private static final Expression SPELT_WHOLE = RegexParser.matching("-?\\d+(\\.0*)?");

  private Numbers() {}

  /**
   * @throws UnsupportedOperationException if the numbers have too many digits
   */
  static Expression expression(NumberSet set) {
    if (set.isEmpty()) {
      return Expression.NOTHING;
    }
    if (set.spelling().isPresent()) {
      return new Text(set.spelling().get());
    }
    boolean simple = set.kind() != NumberSet.Kind.BROKEN && set.multiples().isEmpty();
    Expression between = between(set, simple);
    if (simple) {
      return between;
    }
    List<Expression> parts = new ArrayList<>();
    parts.add(between);
    if (set.kind() == NumberSet.Kind.BROKEN) {
      parts.add(new Not(SPELT_WHOLE));
    }
    set.multiples().forEach(multiple -> parts.add(new Accepted(multiples(multiple))));
    return new Accepted(Derivatives.machine(new Both(parts)));
  }

  private static Expression between(NumberSet set, boolean simple) {
    NumberRange range = new NumberRange(set.least(), set.most());
    boolean whole = set.kind() == NumberSet.Kind.WHOLE;
    if (range.isUnbounded()) {
      return whole ? WHOLE : simple ? Json.NUMBER : DECIMAL;
    }
    if (range.isNotNegative() && (whole || simple)) {
      return whole ? NATURAL : NOT_NEGATIVE;
    }
    if (whole && range.isPositive()) {
      return POSITIVE;
    }
    range = range.withoutFarBounds(whole);
    if (range.isUnbounded()) {
      return whole ? WHOLE : DECIMAL;
    }
    if (whole ? !range.isReasonable() : !range.fitsDoubles()) {
      throw new UnsupportedOperationException(
          "has bounds of more than %d digits".formatted(whole ? 100 : 15));
    }
    return (whole ? range.integers() : range.numbers()).orElse(Expression.NOTHING);
  }

  /** Numbers without an exponent, by their remainder. */
  private static Machine multiples(BigDecimal multiple) {
    BigDecimal stripped = multiple.stripTrailingZeros();
    int decimals = Math.max(0, stripped.scale());
    if (decimals > 15
        || stripped.precision() - stripped.scale() > 15
        || stripped.scaleByPowerOfTen(decimals).compareTo(BigDecimal.valueOf(MOST_REMAINDERS))
            > 0) {
      throw new UnsupportedOperationException(
          "has a multipleOf with too many digits, "
              + SchemaNode.quoted(
                  com.fasterxml.jackson.databind.node.DecimalNode.valueOf(multiple)));
    }
    int modulus = stripped.scaleByPowerOfTen(decimals).intValueExact();
    // First the sign, then remainders after so many decimals, and a point before the first.
    int points = 1 + modulus;
    int after = points + modulus;
    int size = after + decimals * modulus + 1;
    Machine.State[] states = new Machine.State[size];
    int[] powers = new int[decimals + 1];
    powers[0] = 1 % modulus;
    for (int i = 1; i <= decimals; i++) {
      powers[i] = powers[i - 1] * 10 % modulus;
    }
    for (int i = 0; i < size; i++) {
      List<CharacterSet> sets = new ArrayList<>();
      List<Integer> targets = new ArrayList<>();
      boolean accepting = i == size - 1;
      if (i == 0) {
        addDigits(0, modulus, 1, sets, targets);
        sets.add(CharacterSet.of("-"));
        targets.add(1);
      } else if (i < points) {
        int remainder = i - 1;
        addDigits(remainder, modulus, 1, sets, targets);
        sets.add(CharacterSet.of("."));
        targets.add(points + remainder);
        accepting = remainder * powers[decimals] % modulus == 0;
      } else if (i < size - 1) {
        int place = (i - points) / modulus;
        int remainder = (i - points) % modulus;
        if (place < decimals) {
          addDigits(remainder, modulus, points + (place + 1) * modulus, sets, targets);
        } else if (remainder == 0) {
          sets.add(CharacterSet.of("0"));
          targets.add(size - 1);
        }
        accepting = place > 0 && remainder * powers[decimals - place] % modulus == 0;
      } else {
        sets.add(CharacterSet.of("0"));
        targets.add(i);
      }
      states[i] =
          new Machine.State(
              sets, targets.stream().mapToInt(Integer::intValue).toArray(), accepting);
    }
    return new Machine(states);
  }

  private static void addDigits(
      int remainder, int modulus, int first, List<CharacterSet> sets, List<Integer> targets) {
    for (int digit = 0; digit <= 9; digit++) {
      sets.add(CharacterSet.range('0' + digit, '0' + digit));
      targets.add(first + (remainder * 10 + digit) % modulus);
    }
  }
}

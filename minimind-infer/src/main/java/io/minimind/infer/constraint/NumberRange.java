package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Text;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Numbers between bounds, digit by digit.
 *
 * @param least empty for no bound
 * @param most empty for no bound
 */
record NumberRange(Optional<Bound> least, Optional<Bound> most) {
  private static final int INTEGER_DIGITS = 18;

  /** What a double tells apart, so that rounding moves no number beyond its bound. */
  private static final int NUMBER_DIGITS = 15;

  private static final int MOST_DECIMALS = 6;
  private static final int MOST_DIGITS = 100;

  /** More digits than are ever told apart; an exponent may be as large as an int. */
  private static final int FAR = 1 << 20;

  record Bound(BigDecimal value, boolean exclusive) {
    /** The same bound of the numbers on its other side. */
    Bound behind() {
      return new Bound(value, !exclusive);
    }
  }

  /** Whether there is no whole number. */
  boolean isEmptyOfIntegers() {
    return least.isPresent()
        && most.isPresent()
        && scaled(least.get(), 0, 1).compareTo(scaled(most.get(), 0, -1)) > 0;
  }

  boolean isUnbounded() {
    return least.isEmpty() && most.isEmpty();
  }

  /** Whether it has just the numbers from 0 on. */
  boolean isNotNegative() {
    return most.isEmpty()
        && least.filter(b -> b.value().signum() == 0 && !b.exclusive()).isPresent();
  }

  /** Whether its integers are just those from 1 on. */
  boolean isPositive() {
    return most.isEmpty()
        && least.isPresent()
        && least.get().value().compareTo(least.get().exclusive() ? BigDecimal.ZERO : BigDecimal.ONE)
            == 0;
  }

  /** The integers, without a decimal point; nothing if there are none. */
  Optional<Expression> integers() {
    return between(INTEGER_DIGITS, 0);
  }

  /** Whether the bounds are of a size that can be spelt. */
  boolean isReasonable() {
    return wholeDigits() <= MOST_DIGITS;
  }

  /** Whether doubles tell the numbers near the bounds apart. */
  boolean fitsDoubles() {
    return wholeDigits() + scale() <= NUMBER_DIGITS;
  }

  /** Without the bounds that nothing reaches which is written, with so many digits at most. */
  NumberRange withoutFarBounds(boolean whole) {
    BigDecimal far = BigDecimal.TEN.pow(whole ? MOST_DIGITS : NUMBER_DIGITS);
    return new NumberRange(
        least.filter(bound -> bound.value().compareTo(far.negate()) > 0),
        most.filter(bound -> bound.value().compareTo(far) < 0));
  }

  /** Decimal numbers without an exponent; nothing if there are none. */
  Optional<Expression> numbers() {
    int wanted = Math.min(scale() + 2, Math.max(scale() + 1, MOST_DECIMALS));
    int decimals = Math.min(wanted, NUMBER_DIGITS - wholeDigits());
    List<Expression> options = new ArrayList<>();
    for (int places = 0; places <= decimals; places++) {
      between(NUMBER_DIGITS - decimals, places).ifPresent(options::add);
    }
    return options.isEmpty() ? Optional.empty() : Optional.of(new Choice(options));
  }

  private int scale() {
    return Math.max(scale(least), scale(most));
  }

  private int wholeDigits() {
    return Math.max(1, Math.max(wholeDigits(least), wholeDigits(most)));
  }

  private static int scale(Optional<Bound> bound) {
    return bound
        .map(b -> Math.min(FAR, Math.max(0, b.value().stripTrailingZeros().scale())))
        .orElse(0);
  }

  private static int wholeDigits(Optional<Bound> bound) {
    return bound
        .map(Bound::value)
        .map(value -> (int) Math.min(FAR, Math.max(1, (long) value.precision() - value.scale())))
        .orElse(0);
  }

  /** The numbers with so many decimals, and without a bound of so many digits before them. */
  private Optional<Expression> between(int digits, int decimals) {
    BigInteger end =
        BigInteger.TEN.pow(Math.max(digits, wholeDigits()) + decimals).subtract(BigInteger.ONE);
    BigInteger low = least.map(b -> scaled(b, decimals, 1)).orElse(end.negate());
    BigInteger high = most.map(b -> scaled(b, decimals, -1)).orElse(end);
    List<Expression> options = new ArrayList<>();
    addNatural(low.max(BigInteger.ZERO), high, decimals, new Text(""), options);
    addNatural(high.negate().max(BigInteger.ONE), low.negate(), decimals, new Text("-"), options);
    return options.isEmpty() ? Optional.empty() : Optional.of(new Choice(options));
  }

  /** The first scaled number inside a bound, going the given way. */
  private static BigInteger scaled(Bound bound, int decimals, int direction) {
    BigDecimal value = bound.value().scaleByPowerOfTen(decimals);
    // Below a tenth it is said here, because the digits of 1e-999999999 would fill all memory.
    BigInteger inside =
        value.signum() == 0 || (long) value.precision() - value.scale() < 0
            ? BigInteger.valueOf(value.signum() == direction ? direction : 0)
            : value
                .setScale(0, direction > 0 ? RoundingMode.CEILING : RoundingMode.FLOOR)
                .toBigInteger();
    boolean excluded = bound.exclusive() && new BigDecimal(inside).compareTo(value) == 0;
    return excluded ? inside.add(BigInteger.valueOf(direction)) : inside;
  }

  private static void addNatural(
      BigInteger low, BigInteger high, int decimals, Expression sign, List<Expression> options) {
    if (low.compareTo(high) > 0) {
      return;
    }
    int shortest = decimals + 1;
    int longest = Math.max(shortest, high.toString().length());
    for (int length = Math.max(shortest, low.toString().length()); length <= longest; length++) {
      BigInteger first = length == shortest ? BigInteger.ZERO : BigInteger.TEN.pow(length - 1);
      BigInteger last = BigInteger.TEN.pow(length).subtract(BigInteger.ONE);
      options.add(
          Expression.sequence(
              sign,
              digits(padded(low.max(first), length), padded(high.min(last), length), decimals)));
    }
  }

  private static String padded(BigInteger value, int length) {
    String digits = value.toString();
    return "0".repeat(length - digits.length()) + digits;
  }

  /** The digit sequences from one to another of the same length, with a point in its place. */
  private static Expression digits(String low, String high, int decimals) {
    if (low.isEmpty()) {
      return Expression.EMPTY;
    }
    Text point = new Text(decimals > 0 && low.length() == decimals ? "." : "");
    int rest = low.length() - 1;
    char first = low.charAt(0);
    char last = high.charAt(0);
    String lowest = "0".repeat(rest);
    String highest = "9".repeat(rest);
    String lowRest = low.substring(1);
    String highRest = high.substring(1);
    if (first == last) {
      return Expression.sequence(point, digit(first, last), digits(lowRest, highRest, decimals));
    }
    List<Expression> options = new ArrayList<>();
    if (!lowRest.equals(lowest)) {
      options.add(Expression.sequence(digit(first, first), digits(lowRest, highest, decimals)));
      first++;
    }
    if (!highRest.equals(highest)) {
      options.add(Expression.sequence(digit(last, last), digits(lowest, highRest, decimals)));
      last--;
    }
    if (first <= last) {
      options.add(Expression.sequence(digit(first, last), anyDigits(rest, decimals)));
    }
    return Expression.sequence(point, new Choice(options));
  }

  private static Expression anyDigits(int count, int decimals) {
    List<Expression> parts = new ArrayList<>();
    for (int left = count; left > 0; left--) {
      parts.add(new Text(decimals > 0 && left == decimals ? "." : ""));
      parts.add(digit('0', '9'));
    }
    return new Expression.Sequence(parts);
  }

  private static Expression digit(char first, char last) {
    return new Characters(CharacterSet.range(first, last));
  }
}

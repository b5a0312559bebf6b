package io.minimind.agent;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Computes expressions of numbers, {@code + - * / // % **}, brackets and the functions of Python's
 * {@code math}, as Python does: integers of any size, and doubles. With commas they are several, of
 * which {@code 1,000} is two. Nothing is ever evaluated as a program.
 */
final class Arithmetic {

  private static final Pattern NUMBER =
      Pattern.compile(
          "0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
              + "|(?:[0-9](?:_?[0-9])*)?\\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?"
              + "|[0-9](?:_?[0-9])*\\.(?:[eE][-+]?[0-9](?:_?[0-9])*)?"
              + "|[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?");
  private static final Pattern NAME = Pattern.compile("math\\s*\\.\\s*([a-z0-9]+)");

  /** Those before an expression and after it. */
  private static final Pattern BLANK_LINES =
      Pattern.compile("^[ \\t]*[\\r\\n]+|[\\r\\n][ \\t\\r\\n]*$");

  /** Python writes no longer ones. */
  private static final int MOST_DIGITS = 4300;

  /** More would take long. */
  private static final int MOST_BITS = 1 << 18;

  private static final int MOST_DEPTH = 100;

  private final String text;
  private int position;
  private int depth;

  /** How many are open; within them an expression may go on in the next line. */
  private int brackets;

  private Arithmetic(String text) {
    this.text = text;
  }

  /**
   * The value as Python writes it.
   *
   * @throws ArithmeticException if it is no expression of this kind or has no value
   */
  static String evaluate(String expression) {
    Arithmetic reader = new Arithmetic(BLANK_LINES.matcher(expression).replaceAll(""));
    List<String> values = new ArrayList<>(List.of(reader.value()));
    boolean several = false;
    while (reader.take(",")) {
      several = true;
      if (!reader.isAtEnd()) {
        values.add(reader.value());
      }
    }
    if (!reader.isAtEnd()) {
      throw reader.unexpected();
    }
    String all = String.join(", ", values);
    return several ? "(" + all + (values.size() == 1 ? ",)" : ")") : all;
  }

  private boolean isAtEnd() {
    skipSpace();
    return position == text.length();
  }

  private String value() {
    Number value = sum();
    String result = PythonJson.text(value);
    if (value instanceof BigInteger && result.length() > MOST_DIGITS) {
      throw new ArithmeticException("The result has too many digits.");
    }
    return result;
  }

  private Number sum() {
    Number left = product();
    while (true) {
      if (take("+")) {
        left = add(left, product());
      } else if (take("-")) {
        left = add(left, negative(product()));
      } else {
        return left;
      }
    }
  }

  private Number product() {
    Number left = signed();
    while (true) {
      if (take("//")) {
        left = floorDivided(left, signed());
      } else if (take("/")) {
        left = divided(left, signed());
      } else if (take("%")) {
        left = remainder(left, signed());
      } else if (!next("**") && take("*")) {
        left = multiplied(left, signed());
      } else {
        return left;
      }
    }
  }

  private Number signed() {
    if (++depth > MOST_DEPTH) {
      throw new ArithmeticException("The expression is nested too deeply.");
    }
    Number value = take("-") ? negative(signed()) : take("+") ? signed() : power();
    depth--;
    return value;
  }

  /** Binds more tightly than a sign before it, and less than one behind it. */
  private Number power() {
    Number base = operand();
    return take("**") ? power(base, signed()) : base;
  }

  private Number operand() {
    if (take("(")) {
      brackets++;
      Number value = sum();
      expect(")");
      brackets--;
      return value;
    }
    skipSpace();
    Matcher number = NUMBER.matcher(text).region(position, text.length());
    if (number.lookingAt()) {
      position = number.end();
      if (position < text.length() && Character.isLetterOrDigit(text.charAt(position))) {
        throw unexpected();
      }
      return literal(number.group().replace("_", "").toLowerCase(Locale.ROOT));
    }
    Matcher name = NAME.matcher(text).region(position, text.length());
    if (name.lookingAt()) {
      position = name.end();
      return MathFunctions.call(name.group(1), arguments());
    }
    throw unexpected();
  }

  private static Number literal(String digits) {
    if (digits.matches("0[xob].*")) {
      int radix = digits.charAt(1) == 'x' ? 16 : digits.charAt(1) == 'o' ? 8 : 2;
      return new BigInteger(digits.substring(2), radix);
    }
    if (digits.matches("[0-9]+")) {
      if (digits.matches("0+[1-9].*") || digits.length() > MOST_DIGITS) {
        throw new ArithmeticException("An integer may not begin with 0 or be too long.");
      }
      return new BigInteger(digits);
    }
    return Double.parseDouble(digits);
  }

  /** What stands in brackets behind a name; a constant has none. */
  private List<Number> arguments() {
    List<Number> arguments = new ArrayList<>();
    if (!take("(")) {
      return List.of();
    }
    if (take(")")) {
      throw new ArithmeticException("A function needs an argument.");
    }
    brackets++;
    do {
      arguments.add(sum());
    } while (take(","));
    expect(")");
    brackets--;
    return arguments;
  }

  private boolean next(String symbol) {
    skipSpace();
    return text.startsWith(symbol, position);
  }

  private boolean take(String symbol) {
    boolean found = next(symbol);
    position += found ? symbol.length() : 0;
    return found;
  }

  private void expect(String symbol) {
    if (!take(symbol)) {
      throw unexpected();
    }
  }

  private void skipSpace() {
    String space = brackets > 0 ? " \t\f\r\n" : " \t\f";
    while (position < text.length() && space.indexOf(text.charAt(position)) >= 0) {
      position++;
    }
  }

  private ArithmeticException unexpected() {
    return new ArithmeticException("There is something unexpected at character " + position + ".");
  }

  // Python's arithmetic

  private static boolean areIntegers(Number a, Number b) {
    return a instanceof BigInteger && b instanceof BigInteger;
  }

  static double real(Number number) {
    double value = number.doubleValue();
    if (number instanceof BigInteger && Double.isInfinite(value)) {
      throw new ArithmeticException("The integer is too large for a double.");
    }
    return value;
  }

  private static Number negative(Number a) {
    return a instanceof BigInteger integer ? integer.negate() : (Number) (-a.doubleValue());
  }

  private static Number add(Number a, Number b) {
    return areIntegers(a, b) ? ((BigInteger) a).add((BigInteger) b) : (Number) (real(a) + real(b));
  }

  private static Number multiplied(Number a, Number b) {
    if (!areIntegers(a, b)) {
      return real(a) * real(b);
    }
    requireBits((long) ((BigInteger) a).bitLength() + ((BigInteger) b).bitLength());
    return ((BigInteger) a).multiply((BigInteger) b);
  }

  private static void requireBits(double bits) {
    if (bits > MOST_BITS) {
      throw new ArithmeticException("The result is too large.");
    }
  }

  private static void requireDivisor(Number b) {
    if (b instanceof BigInteger integer ? integer.signum() == 0 : b.doubleValue() == 0) {
      throw new ArithmeticException("Nothing can be divided by 0.");
    }
  }

  private static Number divided(Number a, Number b) {
    requireDivisor(b);
    if (!areIntegers(a, b)) {
      return real(a) / real(b);
    }
    if (((BigInteger) a).bitLength() <= 53 && ((BigInteger) b).bitLength() <= 53) {
      return a.doubleValue() / b.doubleValue();
    }
    BigDecimal exact =
        new BigDecimal((BigInteger) a).divide(new BigDecimal((BigInteger) b), new MathContext(50));
    if (Double.isInfinite(exact.doubleValue())) {
      throw new ArithmeticException("The result is too large for a double.");
    }
    return exact.doubleValue();
  }

  private static Number floorDivided(Number a, Number b) {
    requireDivisor(b);
    if (areIntegers(a, b)) {
      BigInteger[] parts = ((BigInteger) a).divideAndRemainder((BigInteger) b);
      boolean below = parts[1].signum() != 0 && parts[1].signum() != ((BigInteger) b).signum();
      return below ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }
    double divisor = real(b);
    double quotient = (real(a) - real(remainder(a, b))) / divisor;
    double floor = Math.floor(quotient);
    return quotient - floor > 0.5 ? floor + 1 : floor;
  }

  /** Of the sign of the divisor. */
  private static Number remainder(Number a, Number b) {
    requireDivisor(b);
    if (areIntegers(a, b)) {
      BigInteger found = ((BigInteger) a).remainder((BigInteger) b);
      boolean below = found.signum() != 0 && found.signum() != ((BigInteger) b).signum();
      return below ? found.add((BigInteger) b) : found;
    }
    double divisor = real(b);
    double found = real(a) % divisor;
    if (found == 0) {
      return Math.copySign(0.0, divisor);
    }
    return found < 0 != divisor < 0 ? found + divisor : found;
  }

  private static Number power(Number a, Number b) {
    if (areIntegers(a, b) && ((BigInteger) b).signum() >= 0) {
      BigInteger base = (BigInteger) a;
      BigInteger exponent = (BigInteger) b;
      if (base.abs().compareTo(BigInteger.ONE) <= 0) {
        boolean odd = exponent.testBit(0);
        return exponent.signum() == 0 ? BigInteger.ONE : odd ? base : base.multiply(base);
      }
      requireBits(base.bitLength() * exponent.doubleValue());
      return base.pow(exponent.intValueExact());
    }
    double base = real(a);
    double exponent = real(b);
    if (base == 0 && exponent < 0) {
      throw new ArithmeticException("0 has no negative power.");
    }
    double result = Math.pow(base, exponent);
    boolean finite = Double.isFinite(base) && Double.isFinite(exponent);
    if (finite && !Double.isFinite(result)) {
      throw new ArithmeticException("The power is too large, or no real number.");
    }
    return result;
  }
}

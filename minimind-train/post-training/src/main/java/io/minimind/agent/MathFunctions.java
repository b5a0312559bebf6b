package io.minimind.agent;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;

/** The functions and constants of Python's {@code math} that sums are made with. */
final class MathFunctions {

  private static final BigInteger MOST_FACTORS = BigInteger.valueOf(20_000);

  private MathFunctions() {}

  /**
   * @param arguments none for a constant
   * @throws ArithmeticException if there is no such function of so many arguments, or it has no
   *     value
   */
  static Number call(String name, List<Number> arguments) {
    return switch (arguments.size()) {
      case 0 -> constant(name);
      case 1 -> ofOne(name, arguments.get(0));
      case 2 -> ofTwo(name, arguments.get(0), arguments.get(1));
      default -> throw unknown(name);
    };
  }

  private static ArithmeticException unknown(String name) {
    return new ArithmeticException("There is no such function as " + name + " of these arguments.");
  }

  private static Number constant(String name) {
    return switch (name) {
      case "pi" -> Math.PI;
      case "e" -> Math.E;
      case "tau" -> 2 * Math.PI;
      case "inf" -> Double.POSITIVE_INFINITY;
      case "nan" -> Double.NaN;
      default -> throw unknown(name);
    };
  }

  private static Number ofOne(String name, Number x) {
    return switch (name) {
      case "floor" -> rounded(x, RoundingMode.FLOOR);
      case "ceil" -> rounded(x, RoundingMode.CEILING);
      case "trunc" -> rounded(x, RoundingMode.DOWN);
      case "factorial" -> factorial(integer(x));
      case "isqrt" -> natural(integer(x)).sqrt();
      case "gcd", "lcm" -> integer(x).abs();
      default -> defined(realOfOne(name, Arithmetic.real(x)), Arithmetic.real(x));
    };
  }

  private static double realOfOne(String name, double x) {
    return switch (name) {
      case "sqrt" -> Math.sqrt(x);
      case "cbrt" -> Math.cbrt(x);
      case "exp" -> Math.exp(x);
      case "expm1" -> Math.expm1(x);
      case "log" -> positive(x, Math.log(x));
      case "log2" -> positive(x, log2(x));
      case "log10" -> positive(x, Math.log10(x));
      case "log1p" -> positive(1 + x, Math.log1p(x));
      case "sin" -> Math.sin(x);
      case "cos" -> Math.cos(x);
      case "tan" -> Math.tan(x);
      case "asin" -> Math.asin(x);
      case "acos" -> Math.acos(x);
      case "atan" -> Math.atan(x);
      case "sinh" -> Math.sinh(x);
      case "cosh" -> Math.cosh(x);
      case "tanh" -> Math.tanh(x);
      case "fabs" -> Math.abs(x);
      case "degrees" -> x * (180 / Math.PI);
      case "radians" -> x * (Math.PI / 180);
      default -> throw unknown(name);
    };
  }

  private static double log2(double x) {
    int exponent = Math.getExponent(x);
    return Math.scalb(1.0, exponent) == x ? exponent : Math.log(x) / Math.log(2);
  }

  private static Number ofTwo(String name, Number x, Number y) {
    return switch (name) {
      case "gcd" -> integer(x).gcd(integer(y));
      case "lcm" -> leastMultiple(integer(x), integer(y));
      case "comb" -> chosen(natural(integer(x)), natural(integer(y)), true);
      case "perm" -> chosen(natural(integer(x)), natural(integer(y)), false);
      default -> realOfTwo(name, Arithmetic.real(x), Arithmetic.real(y));
    };
  }

  private static double realOfTwo(String name, double x, double y) {
    double value =
        switch (name) {
          case "pow" -> Math.pow(x, y);
          case "log" -> positive(x, Math.log(x)) / positive(y, Math.log(y));
          case "atan2" -> Math.atan2(x, y);
          case "hypot" -> Math.hypot(x, y);
          case "fmod" -> x % y;
          case "copysign" -> Math.copySign(x, y);
          case "dist" -> Math.abs(x - y);
          default -> throw unknown(name);
        };
    if (Double.isFinite(x) && Double.isFinite(y) && !Double.isFinite(value)) {
      throw new ArithmeticException("The result is too large, or no real number.");
    }
    return value;
  }

  private static double defined(double value, double of) {
    if (Double.isFinite(of) && !Double.isFinite(value)) {
      throw new ArithmeticException("The result is too large, or no real number.");
    }
    return value;
  }

  private static double positive(double x, double logarithm) {
    if (!(x > 0)) {
      throw new ArithmeticException("A logarithm is of a number above 0.");
    }
    return logarithm;
  }

  private static BigInteger rounded(Number x, RoundingMode mode) {
    if (x instanceof BigInteger integer) {
      return integer;
    }
    if (!Double.isFinite(x.doubleValue())) {
      throw new ArithmeticException("Only a finite number can be rounded.");
    }
    return new BigDecimal(x.doubleValue()).setScale(0, mode).toBigInteger();
  }

  private static BigInteger integer(Number x) {
    if (x instanceof BigInteger integer) {
      return integer;
    }
    throw new ArithmeticException("An integer was expected.");
  }

  private static BigInteger natural(BigInteger x) {
    if (x.signum() < 0) {
      throw new ArithmeticException("An integer of at least 0 was expected.");
    }
    return x;
  }

  private static BigInteger factorial(BigInteger n) {
    return chosen(natural(n), n, false);
  }

  private static BigInteger leastMultiple(BigInteger x, BigInteger y) {
    return x.signum() == 0 || y.signum() == 0
        ? BigInteger.ZERO
        : x.divide(x.gcd(y)).multiply(y).abs();
  }

  /** Ways to choose k of n, in any order or in each. */
  private static BigInteger chosen(BigInteger n, BigInteger k, boolean unordered) {
    if (k.compareTo(n) > 0) {
      return BigInteger.ZERO;
    }
    if (k.compareTo(MOST_FACTORS) > 0) {
      throw new ArithmeticException("The result is too large.");
    }
    BigInteger product = BigInteger.ONE;
    for (BigInteger i = BigInteger.ZERO; i.compareTo(k) < 0; i = i.add(BigInteger.ONE)) {
      product = product.multiply(n.subtract(i));
      if (unordered) {
        product = product.divide(i.add(BigInteger.ONE));
      }
    }
    return product;
  }
}

package io.minimind.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;

/** Numbers as Python has them: 64-bit integers, which must not overflow, and doubles. */
final class Numbers {

  private Numbers() {}

  static long parseLiteral(String literal) {
    String digits = literal.replace("_", "");
    String prefix = digits.length() < 2 ? "" : digits.substring(0, 2).toLowerCase(Locale.ROOT);
    return switch (prefix) {
      case "0x" -> Long.parseLong(digits.substring(2), 16);
      case "0o" -> Long.parseLong(digits.substring(2), 8);
      case "0b" -> Long.parseLong(digits.substring(2), 2);
      default -> Long.parseLong(digits);
    };
  }

  /** Whether a value counts as a number in a calculation; true is 1, false is 0. */
  static boolean isNumeric(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof Boolean || value instanceof BigInteger;
  }

  static double toDouble(Object value) {
    return value instanceof Boolean flag ? (flag ? 1 : 0) : ((Number) value).doubleValue();
  }

  static long toLong(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    } else if (value instanceof Long number) {
      return number;
    }
    throw new Failure("%s where an integer of 64 bits is expected", Values.kind(value));
  }

  /** An index or count, cut to the range of int, where nothing is that long. */
  static int index(Object value) {
    return (int) Math.max(-Integer.MAX_VALUE, Math.min(Integer.MAX_VALUE, toLong(value)));
  }

  /** Their order, in which NaN comes last: sorting needs a place for it. */
  static int compare(Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      double x = toDouble(a);
      double y = toDouble(b);
      return x == y ? 0 : Double.compare(x, y);
    }
    return toBigInteger(a).compareTo(toBigInteger(b));
  }

  static boolean equal(Object a, Object b) {
    return a instanceof Double || b instanceof Double
        ? toDouble(a) == toDouble(b)
        : toBigInteger(a).equals(toBigInteger(b));
  }

  private static BigInteger toBigInteger(Object value) {
    return value instanceof BigInteger big ? big : BigInteger.valueOf(toLong(value));
  }

  /** The shortest digits that give the double back, as Python writes them. */
  static String toText(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    } else if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = shortest(value);
    String digits = shortest.unscaledValue().abs().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    digits = digits.replaceFirst("(?<=.)0+$", "");
    String sign = value < 0 ? "-" : "";
    if (exponent < -4 || exponent >= 16) {
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      return sign + digits.charAt(0) + fraction + exponent(exponent);
    }
    String plain = shortest.abs().stripTrailingZeros().toPlainString();
    return sign + (plain.contains(".") ? plain : plain + ".0");
  }

  /** As Python writes it, with two digits or more; they are those of ASCII in any locale. */
  static String exponent(int value) {
    String digits = Integer.toString(Math.abs(value));
    return (value < 0 ? "e-" : "e+") + (digits.length() < 2 ? "0" : "") + digits;
  }

  private static BigDecimal shortest(double value) {
    BigDecimal exact = new BigDecimal(value);
    for (int digits = 1; ; digits++) {
      // Beside a power of two the nearest decimal may miss where the next one does not.
      for (RoundingMode mode : List.of(RoundingMode.HALF_EVEN, RoundingMode.UP)) {
        BigDecimal rounded = exact.round(new MathContext(digits, mode));
        if (digits == 17 || rounded.doubleValue() == value) {
          return rounded;
        }
      }
    }
  }
}

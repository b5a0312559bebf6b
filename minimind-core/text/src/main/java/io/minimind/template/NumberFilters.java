package io.minimind.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;

/** Filters that make numbers. */
final class NumberFilters {

  private NumberFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    filters.put("abs", NumberFilters::absolute);
    filters.put("int", NumberFilters::toInteger);
    filters.put("float", NumberFilters::toFloat);
    filters.put("round", NumberFilters::round);
  }

  private static Object absolute(Object value, Arguments arguments, Budget budget) {
    if (!Numbers.isNumeric(value)) {
      throw new Failure("%s is no number", Values.kind(value));
    }
    return value instanceof Double number
        ? (Object) Math.abs(number)
        : (Object) Math.abs(Numbers.toLong(value));
  }

  private static Object toInteger(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("default", "base");
    Object absent = bound.get("default", 0L);
    if (value instanceof String text) {
      String digits = plain(text);
      try {
        return Long.parseLong(
            withoutPrefix(digits, bound.integer("base", 10)), bound.integer("base", 10));
      } catch (NumberFormatException e) {
        Object number = parseFloat(text);
        return number instanceof Double real ? truncate(real, absent) : absent;
      }
    } else if (value instanceof Double number) {
      return truncate(number, absent);
    }
    return Numbers.isNumeric(value) ? Numbers.toLong(value) : absent(value, absent);
  }

  private static Object absent(Object value, Object absent) {
    if (value instanceof Undefined undefined) {
      throw new Failure("%s", undefined.problem());
    }
    return absent;
  }

  private static Object truncate(double number, Object absent) {
    return Math.abs(number) < 9e18 ? (Object) (long) number : absent;
  }

  private static String withoutPrefix(String digits, int base) {
    String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : "-";
    String lower = digits.toLowerCase(Locale.ROOT);
    return lower.startsWith(prefix) && base != 10 ? digits.substring(2) : digits;
  }

  private static String plain(String text) {
    return Text.strip(text, null, true, true).replaceAll("(?<=\\w)_(?=\\w)", "");
  }

  private static Object toFloat(Object value, Arguments arguments, Budget budget) {
    Object absent = arguments.bind("default").get("default", 0.0);
    if (Numbers.isNumeric(value)) {
      return Numbers.toDouble(value);
    }
    Object number = value instanceof String text ? parseFloat(text) : null;
    return number == null ? absent(value, absent) : number;
  }

  /** A double, or null if the text is none. */
  private static Object parseFloat(String text) {
    String digits = plain(text);
    String lower = digits.toLowerCase(Locale.ROOT);
    if (lower.matches("[-+]?(inf|infinity)")) {
      return lower.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    } else if (lower.matches("[-+]?nan")) {
      return Double.NaN;
    }
    boolean isNumber = lower.matches("[-+]?(\\d++(\\.\\d*+)?|\\.\\d++)(e[-+]?\\d++)?");
    return isNumber ? Double.valueOf(digits) : null;
  }

  private static Object round(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("precision", "method");
    String method = bound.text("method", "common");
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default ->
              throw new Failure("the method is \"%s\"; expected common, ceil or floor", method);
        };
    if (!Numbers.isNumeric(value)) {
      throw new Failure("%s is no number", Values.kind(value));
    }
    double number = Numbers.toDouble(value);
    int precision = Math.max(-400, Math.min(400, bound.integer("precision", 0)));
    if (Numbers.isInteger(value) && mode == RoundingMode.HALF_EVEN) {
      return BigDecimal.valueOf(Numbers.toLong(value)).setScale(precision, mode).longValue();
    } else if (Double.isNaN(number) || Double.isInfinite(number)) {
      return number;
    }
    double rounded = new BigDecimal(number).setScale(precision, mode).doubleValue();
    return rounded == 0 ? Math.copySign(rounded, number) : rounded;
  }
}

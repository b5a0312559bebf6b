package io.minimind.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code "%s: %.2f" % (name, number)}, with the conversions that templates use. */
final class PercentFormat {

  private static final Pattern FIELD =
      Pattern.compile("%(?:\\((\\w+)\\))?([-+ 0#]*+)(\\d{0,4})(?:\\.(\\d{1,3}))?([a-zA-Z%])?");

  private PercentFormat() {}

  /**
   * @param values a value, a list of them, or a mapping for {@code %(name)s}
   */
  static String of(String format, Object values, Budget budget) {
    List<?> items = values instanceof Tuple tuple ? tuple : Arrays.asList(values);
    StringBuilder text = new StringBuilder();
    Matcher field = FIELD.matcher(format);
    int used = 0;
    while (field.find()) {
      if (!isSupported(field)) {
        throw new Failure(
            "the format has the field \"%s\", which is not supported; expected one of s, r, d, i,"
                + " x, X, f, F, e and E after %%, with the flags -, 0 and +, and a precision unless"
                + " it is an integer",
            field.group());
      }
      String replacement = "%";
      if (!field.group(5).equals("%")) {
        if (field.group(1) == null && used == items.size()) {
          throw new Failure("the format has more fields than there are values");
        }
        Object value = field.group(1) == null ? items.get(used++) : member(values, field.group(1));
        replacement = field(field, value, budget);
      }
      field.appendReplacement(text, Matcher.quoteReplacement(replacement));
      budget.spendText(text.length());
    }
    if (used < items.size() && !(values instanceof Map)) {
      throw new Failure("the format has fewer fields than there are values");
    }
    return field.appendTail(text).toString();
  }

  private static boolean isSupported(Matcher field) {
    String conversion = field.group(5);
    return conversion != null
        && "srdixXfFeE%".contains(conversion)
        && !field.group(2).matches(".*[ #].*")
        && !(field.group(4) != null && "dixX".contains(conversion));
  }

  private static Object member(Object values, String name) {
    if (values instanceof Map<?, ?> map && map.containsKey(name)) {
      return map.get(name);
    }
    throw new Failure("the format wants a mapping with \"%s\"", name);
  }

  private static String field(Matcher field, Object value, Budget budget) {
    char conversion = field.group(5).charAt(0);
    String flags = field.group(2);
    String text;
    if (conversion == 's' || conversion == 'r') {
      text = conversion == 's' ? Values.toText(value, budget) : PythonText.of(value, budget);
      int most = precision(field, Integer.MAX_VALUE);
      text = Text.length(text) > most ? text.substring(0, text.offsetByCodePoints(0, most)) : text;
      flags = flags.contains("-") ? "-" : "";
    } else if (!Numbers.isNumeric(value)) {
      throw new Failure("the format wants a number, found %s", Values.kind(value));
    } else if (conversion == 'd' || conversion == 'i') {
      text = integer(value).toString();
    } else if (Character.toLowerCase(conversion) == 'x') {
      if (value instanceof Double) {
        throw new Failure("the format wants an integer, found a float");
      }
      text = integer(value).toString(16);
    } else {
      text = real(Numbers.toDouble(value), conversion, precision(field, 6));
    }
    text = Character.isUpperCase(conversion) ? text.toUpperCase(Locale.ROOT) : text;
    if (flags.contains("+") && !text.startsWith("-")) {
      text = "+" + text;
    }
    int width = field.group(3).isEmpty() ? 0 : Integer.parseInt(field.group(3));
    int missing = Math.max(0, width - Text.length(text));
    if (flags.contains("-")) {
      return text + " ".repeat(missing);
    } else if (flags.contains("0")) {
      int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
      return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }
    return " ".repeat(missing) + text;
  }

  private static int precision(Matcher field, int absent) {
    return field.group(4) == null ? absent : Integer.parseInt(field.group(4));
  }

  private static BigInteger integer(Object value) {
    if (value instanceof BigInteger big) {
      return big;
    } else if (!(value instanceof Double real)) {
      return BigInteger.valueOf(Numbers.toLong(value));
    } else if (Double.isNaN(real) || Double.isInfinite(real)) {
      throw new Failure("the format wants an integer, found %s", Numbers.toText(real));
    } else {
      return new BigDecimal(real).toBigInteger();
    }
  }

  /** A double in digits; of its exact value, which is what Python rounds. */
  static String real(double value, char conversion, int precision) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Numbers.toText(value);
    }
    BigDecimal exact = new BigDecimal(Math.abs(value));
    String sign = Math.copySign(1, value) < 0 ? "-" : "";
    if (Character.toLowerCase(conversion) == 'f') {
      return sign + exact.setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
    }
    BigDecimal rounded = exact.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
    String digits = rounded.unscaledValue().toString();
    int exponent = value == 0 ? 0 : digits.length() - 1 - rounded.scale();
    digits += "0".repeat(Math.max(0, precision + 1 - digits.length()));
    String fraction = precision == 0 ? "" : "." + digits.substring(1, precision + 1);
    return sign + digits.charAt(0) + fraction + Numbers.exponent(exponent);
  }
}

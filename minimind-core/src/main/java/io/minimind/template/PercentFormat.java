package io.minimind.template;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code "%s: %.2f" % (name, number)}, with the conversions that templates use. */
final class PercentFormat {

  private static final Pattern FIELD =
      Pattern.compile("%(?:\\((\\w+)\\))?([-+ 0#]*+)(\\d{0,4})(?:\\.(\\d{1,3}))?([sdifeEgGxXr%])?");

  private PercentFormat() {}

  /**
   * @param values a value, a list of them, or a mapping for {@code %(name)s}
   */
  static String of(String format, Object values, Budget budget) {
    List<?> items = values instanceof List<?> list ? list : Arrays.asList(values);
    StringBuilder text = new StringBuilder();
    Matcher field = FIELD.matcher(format);
    int used = 0;
    while (field.find()) {
      if (field.group(5) == null) {
        throw new Failure("the format has an unsupported field after \"%%\"");
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

  private static Object member(Object values, String name) {
    if (values instanceof Map<?, ?> map && map.containsKey(name)) {
      return map.get(name);
    }
    throw new Failure("the format wants a mapping with \"%s\"", name);
  }

  private static String field(Matcher field, Object value, Budget budget) {
    char conversion = field.group(5).charAt(0);
    String flags = field.group(2);
    String precision = field.group(4) == null ? "" : "." + field.group(4);
    String text;
    if (conversion == 's' || conversion == 'r') {
      text = Values.toText(value, budget);
      text = field.group(4) == null ? text : String.format("%" + precision + "s", text);
      flags = flags.contains("-") ? "-" : "";
    } else if (!Numbers.isNumeric(value)) {
      throw new Failure("the format wants a number, found %s", Values.kind(value));
    } else if ("dixX".indexOf(conversion) >= 0) {
      long number =
          value instanceof Double real ? (long) real.doubleValue() : Numbers.toLong(value);
      String kind = conversion == 'x' || conversion == 'X' ? "" + conversion : "d";
      text = String.format(Locale.ROOT, "%" + kind, number);
    } else {
      String kind = conversion == 'F' ? "f" : "" + conversion;
      text = String.format(Locale.ROOT, "%" + precision + kind, Numbers.toDouble(value));
    }
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
}

package io.minimind.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code "{0}: {name!r:>8}".format(value, name=other)}, as "Format String Syntax" in Python's
 * description of its library has it.
 */
final class BraceFormat {

  private static final Pattern SPECIFICATION =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d{0,4})([,_])?(?:\\.(\\d{1,3}))?([a-zA-Z%])?",
          Pattern.DOTALL);

  /**
   * The name may have a colon or an exclamation mark in brackets only. Possessive, because what is
   * tried again costs the stack a level for each character.
   */
  private static final Pattern NAME = Pattern.compile("(?:[^!:\\[]|\\[[^\\]]*\\])*+");

  private static final Pattern STEP = Pattern.compile("\\.([^.\\[]+)|\\[([^\\]]+)\\]");

  private final Arguments arguments;
  private final Budget budget;
  private int next;
  private boolean numbered;

  private BraceFormat(Arguments arguments, Budget budget) {
    this.arguments = arguments;
    this.budget = budget;
  }

  static String of(String format, Arguments arguments, Budget budget) {
    return new BraceFormat(arguments, budget).fill(format, 2);
  }

  /**
   * @param depth how deep fields may stand within fields
   */
  private String fill(String format, int depth) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if ((c == '{' || c == '}') && i + 1 < format.length() && format.charAt(i + 1) == c) {
        text.append(c);
        i++;
      } else if (c == '{') {
        int end = end(format, i + 1);
        text.append(field(format.substring(i + 1, end), depth));
        budget.spendText(text.length());
        i = end;
      } else if (c == '}') {
        throw new Failure("the format has a single \"}\"");
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  /** Where the field that begins here is closed. */
  private static int end(String format, int start) {
    int open = 1;
    for (int i = start; i < format.length(); i++) {
      open += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
      if (open == 0) {
        return i;
      }
    }
    throw new Failure("the format has a \"{\" that is not closed");
  }

  private String field(String field, int depth) {
    if (depth == 0) {
      throw new Failure("the format has fields nested too deeply");
    }
    Matcher name = NAME.matcher(field);
    name.lookingAt();
    String rest = field.substring(name.end());
    Object value = value(name.group());
    char conversion = 0;
    if (rest.startsWith("!")) {
      conversion = rest.length() > 1 ? rest.charAt(1) : 0;
      rest = rest.substring(Math.min(2, rest.length()));
      if ("rsa".indexOf(conversion) < 0 || !rest.isEmpty() && !rest.startsWith(":")) {
        throw new Failure(
            "the format has the conversion \"!%s\"; expected !r, !s or !a", conversion);
      }
    }
    if (conversion != 0) {
      value = conversion == 's' ? Values.toText(value, budget) : PythonText.of(value, budget);
      value = conversion == 'a' ? ascii((String) value) : value;
    }
    String specification = rest.isEmpty() ? "" : fill(rest.substring(1), depth - 1);
    return specification.isEmpty() ? Values.toText(value, budget) : format(value, specification);
  }

  private static String ascii(String text) {
    StringBuilder ascii = new StringBuilder();
    text.codePoints()
        .forEach(c -> ascii.append(c < 128 ? Character.toString(c) : PythonText.escape(c)));
    return ascii.toString();
  }

  private Object value(String name) {
    Matcher steps = STEP.matcher(name);
    int end = steps.find() ? steps.start() : name.length();
    String first = name.substring(0, end);
    Object value;
    if (first.isEmpty() || first.matches("\\d{1,9}")) {
      if (next > 0 && !first.isEmpty() || numbered && first.isEmpty()) {
        throw new Failure("the format has fields with numbers and fields without");
      }
      numbered |= !first.isEmpty();
      int index = first.isEmpty() ? next++ : Integer.parseInt(first);
      if (index >= arguments.positional().size()) {
        throw new Failure("the format has more fields than there are values");
      }
      value = arguments.positional().get(index);
    } else if (arguments.named().containsKey(first)) {
      value = arguments.named().get(first);
    } else {
      throw new Failure("the format wants a value named \"%s\"", first);
    }
    int at = end;
    while (at < name.length()) {
      if (!steps.region(at, name.length()).lookingAt()) {
        throw new Failure("the format has the field \"%s\"", name);
      }
      value =
          steps.group(1) != null
              ? Attributes.attribute(value, steps.group(1), budget)
              : item(value, steps.group(2));
      at = steps.end();
    }
    return value;
  }

  private Object item(Object value, String key) {
    return Attributes.item(value, key.matches("\\d{1,9}") ? Long.valueOf(key) : key, budget);
  }

  private String format(Object value, String specification) {
    Matcher spec = SPECIFICATION.matcher(specification);
    if (!spec.matches()) {
      throw new Failure("\"%s\" is no format", specification);
    }
    boolean number = Numbers.isNumeric(value);
    String sign = spec.group(3);
    String body;
    if (number) {
      body = number(value, spec);
    } else if (value instanceof String) {
      if (spec.group(10) != null && !spec.group(10).equals("s") || sign != null) {
        throw new Failure(
            "\"%s\" is a format of numbers, found %s", specification, Values.kind(value));
      }
      body = Values.toText(value, budget);
      int most = spec.group(9) == null ? Integer.MAX_VALUE : Integer.parseInt(spec.group(9));
      body = Text.length(body) > most ? body.substring(0, body.offsetByCodePoints(0, most)) : body;
    } else {
      throw new Failure("%s takes no format such as \"%s\"", Values.kind(value), specification);
    }
    return aligned(body, spec, number);
  }

  private static String aligned(String body, Matcher spec, boolean number) {
    int width = spec.group(7).isEmpty() ? 0 : Integer.parseInt(spec.group(7));
    int missing = width - Text.length(body);
    if (missing <= 0) {
      return body;
    }
    boolean zeros = spec.group(6) != null && spec.group(2) == null;
    String fill = spec.group(1) != null ? spec.group(1) : spec.group(6) != null ? "0" : " ";
    String align =
        spec.group(2) != null ? spec.group(2) : zeros && number ? "=" : number ? ">" : "<";
    return switch (align) {
      case "<" -> body + fill.repeat(missing);
      case ">" -> fill.repeat(missing) + body;
      case "^" -> fill.repeat(missing / 2) + body + fill.repeat(missing - missing / 2);
      default -> {
        int sign = body.matches("(?s)[-+ ].*") ? 1 : 0;
        yield body.substring(0, sign) + fill.repeat(missing) + body.substring(sign);
      }
    };
  }

  private String number(Object value, Matcher spec) {
    String type = spec.group(10) == null ? "" : spec.group(10);
    boolean real = value instanceof Double || "eEfFgG%".contains(type) && !type.isEmpty();
    String digits = real ? real(Numbers.toDouble(value), type, spec) : integer(value, type, spec);
    boolean negative = digits.startsWith("-");
    String plain = negative ? digits.substring(1) : digits;
    String sign =
        negative ? "-" : spec.group(3) == null || spec.group(3).equals("-") ? "" : spec.group(3);
    return sign + (spec.group(8) == null ? plain : grouped(plain, spec.group(8)));
  }

  private static String integer(Object value, String type, Matcher spec) {
    if (spec.group(9) != null) {
      throw new Failure("an integer takes no precision");
    }
    BigInteger number =
        value instanceof BigInteger big ? big : BigInteger.valueOf(Numbers.toLong(value));
    boolean prefix = spec.group(5) != null;
    return switch (type) {
      case "", "d", "n" -> number.toString();
      case "b" -> signed(number, 2, prefix ? "0b" : "");
      case "o" -> signed(number, 8, prefix ? "0o" : "");
      case "x" -> signed(number, 16, prefix ? "0x" : "");
      case "X" -> signed(number, 16, prefix ? "0x" : "").toUpperCase(Locale.ROOT);
      case "c" -> {
        if (number.signum() < 0 || number.bitLength() > 21 || number.intValue() > 0x10FFFF) {
          throw new Failure("there is no character of the number %s", number);
        }
        yield Character.toString(number.intValue());
      }
      default -> throw new Failure("an integer takes no format \"%s\"", type);
    };
  }

  private static String signed(BigInteger number, int radix, String prefix) {
    return (number.signum() < 0 ? "-" : "") + prefix + number.abs().toString(radix);
  }

  private static String real(double value, String type, Matcher spec) {
    boolean precise = spec.group(9) != null;
    int precision = precise ? Integer.parseInt(spec.group(9)) : 6;
    return switch (type) {
      case "e", "f" -> PercentFormat.real(value, type.charAt(0), precision);
      case "E", "F" ->
          PercentFormat.real(value, type.charAt(0), precision).toUpperCase(Locale.ROOT);
      case "%" -> PercentFormat.real(value * 100, 'f', precision) + "%";
      case "g", "n" -> general(value, precision, false);
      case "G" -> general(value, precision, false).toUpperCase(Locale.ROOT);
      case "" -> precise ? general(value, precision, true) : Numbers.toText(value);
      default -> throw new Failure("a float takes no format \"%s\"", type);
    };
  }

  /** With so many digits, in the notation that is shorter. */
  private static String general(double value, int precision, boolean keepsPoint) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Numbers.toText(value);
    }
    int digits = Math.max(1, precision);
    String sign = Math.copySign(1, value) < 0 ? "-" : "";
    BigDecimal rounded =
        new BigDecimal(Math.abs(value)).round(new MathContext(digits, RoundingMode.HALF_EVEN));
    int exponent = value == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    if (exponent >= -4 && exponent < (keepsPoint ? digits - 1 : digits) || value == 0) {
      String plain = value == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
      return sign + plain + (keepsPoint && !plain.contains(".") ? ".0" : "");
    }
    String mantissa = rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString();
    return sign + mantissa + Numbers.exponent(exponent);
  }

  private static String grouped(String digits, String separator) {
    Matcher whole = Pattern.compile("\\d+").matcher(digits);
    if (!whole.lookingAt()) {
      return digits;
    }
    String before = whole.group().replaceAll("(?<=\\d)(?=(\\d{3})+$)", separator);
    return before + digits.substring(whole.end());
  }

  /** As {@link #of}, with the values of a mapping. */
  static String ofMap(String format, Map<?, ?> values, Budget budget) {
    Map<String, Object> named = new HashMap<>();
    values.forEach((key, value) -> named.put(String.valueOf(key), value));
    return of(format, new Arguments(List.of(), named), budget);
  }
}

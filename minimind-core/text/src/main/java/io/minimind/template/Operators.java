package io.minimind.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What the operators do, which is what Python's do but for a few things that are said here. */
final class Operators {

  private final Budget budget;

  Operators(Budget budget) {
    this.budget = budget;
  }

  Object unary(String operator, Object value) {
    if (operator.equals("not")) {
      return !Values.isTrue(value);
    } else if (!Numbers.isNumeric(value)) {
      throw new Failure("\"%s\" needs a number, found %s", operator, describe(value));
    } else if (value instanceof Double number) {
      return operator.equals("-") ? -number : number;
    }
    return exact(
        () ->
            operator.equals("-") ? Math.negateExact(Numbers.toLong(value)) : Numbers.toLong(value));
  }

  Object binary(String operator, Object left, Object right) {
    if (operator.equals("%") && left instanceof String format) {
      return PercentFormat.of(format, right, budget);
    } else if (Numbers.isNumeric(left) && Numbers.isNumeric(right)) {
      return left instanceof Double || right instanceof Double || operator.equals("/")
          ? calculate(operator, Numbers.toDouble(left), Numbers.toDouble(right))
          : calculate(operator, Numbers.toLong(left), Numbers.toLong(right));
    } else if (operator.equals("+")) {
      return add(left, right);
    } else if (operator.equals("*")) {
      return Numbers.isInteger(left)
          ? repeat(right, Numbers.toLong(left), left)
          : Numbers.isInteger(right)
              ? repeat(left, Numbers.toLong(right), right)
              : mismatch(operator, left, right);
    }
    return mismatch(operator, left, right);
  }

  private Object add(Object left, Object right) {
    if (left instanceof List<?> x && right instanceof List<?> y) {
      budget.spendItems((long) x.size() + y.size());
      List<Object> sum = new ArrayList<>(x);
      sum.addAll(y);
      return left instanceof Tuple && right instanceof Tuple ? new Tuple(sum) : sum;
    }
    // Python refuses to add a number to a string, but templates for other engines do it.
    boolean joins =
        left instanceof String && (right instanceof String || Numbers.isNumeric(right))
            || Numbers.isNumeric(left) && right instanceof String;
    return joins ? concatenate(List.of(left, right)) : mismatch("+", left, right);
  }

  String concatenate(List<?> parts) {
    List<String> texts = parts.stream().map(part -> Values.toText(part, budget)).toList();
    budget.spendText(texts.stream().mapToLong(String::length).sum());
    return String.join("", texts);
  }

  private Object repeat(Object value, long times, Object number) {
    long count = Math.max(0, times);
    if (value instanceof String text) {
      if (!text.isEmpty()) {
        budget.spendText(count > Template.MAX_LENGTH ? count : count * text.length());
      }
      return text.isEmpty() ? "" : text.repeat((int) count);
    } else if (value instanceof List<?> list) {
      List<Object> repeated = new ArrayList<>();
      if (!list.isEmpty()) {
        budget.spendItems(count > Template.MAX_ITEMS ? count : count * list.size());
        for (long i = 0; i < count; i++) {
          repeated.addAll(list);
        }
      }
      return value instanceof Tuple ? new Tuple(repeated) : repeated;
    }
    return mismatch("*", value, number);
  }

  private Object mismatch(String operator, Object left, Object right) {
    throw new Failure(
        "\"%s\" does not go with %s and %s", operator, describe(left), describe(right));
  }

  private static String describe(Object value) {
    return value instanceof Undefined undefined
        ? Values.kind(value) + " (" + undefined.problem() + ")"
        : Values.kind(value);
  }

  private static Object calculate(String operator, double x, double y) {
    if (y == 0 && List.of("/", "//", "%").contains(operator)) {
      throw new Failure("division by zero");
    }
    return switch (operator) {
      case "+" -> x + y;
      case "-" -> x - y;
      case "*" -> x * y;
      case "/" -> x / y;
      case "//" -> Math.floor(x / y);
      case "%" -> x - Math.floor(x / y) * y;
      default -> power(x, y);
    };
  }

  private static double power(double x, double y) {
    double power = Math.pow(x, y);
    if (Double.isNaN(power) && !Double.isNaN(x) && !Double.isNaN(y)
        || Double.isInfinite(power) && !Double.isInfinite(x) && !Double.isInfinite(y)) {
      throw new Failure("the power is no number");
    }
    return power;
  }

  private static Object calculate(String operator, long x, long y) {
    if (y == 0 && List.of("//", "%").contains(operator)) {
      throw new Failure("division by zero");
    } else if (operator.equals("**") && y < 0) {
      return calculate(operator, (double) x, (double) y);
    }
    return exact(
        () ->
            switch (operator) {
              case "+" -> Math.addExact(x, y);
              case "-" -> Math.subtractExact(x, y);
              case "*" -> Math.multiplyExact(x, y);
              case "//" -> y == -1 ? Math.negateExact(x) : Math.floorDiv(x, y);
              case "%" -> Math.floorMod(x, y);
              default -> power(x, y);
            });
  }

  private static long power(long base, long exponent) {
    long power = 1;
    long square = base;
    for (long left = exponent; left > 0; left >>= 1) {
      power = (left & 1) == 1 ? Math.multiplyExact(power, square) : power;
      square = left > 1 ? Math.multiplyExact(square, square) : square;
    }
    return power;
  }

  private interface Calculation {
    long result();
  }

  private static Object exact(Calculation calculation) {
    try {
      return calculation.result();
    } catch (ArithmeticException e) {
      throw new Failure("the result does not fit into 64 bits");
    }
  }

  boolean compare(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Values.equal(left, right, budget);
      case "!=" -> !Values.equal(left, right, budget);
      case "<" -> isOrdered(left, right) && Values.compare(left, right, budget) < 0;
      case "<=" -> isOrdered(left, right) && Values.compare(left, right, budget) <= 0;
      case ">" -> isOrdered(left, right) && Values.compare(left, right, budget) > 0;
      case ">=" -> isOrdered(left, right) && Values.compare(left, right, budget) >= 0;
      case "in" -> contains(right, left);
      default -> !contains(right, left);
    };
  }

  private static boolean isOrdered(Object left, Object right) {
    return !Objects.equals(left, Double.NaN) && !Objects.equals(right, Double.NaN);
  }

  /** Whether a value is in another; unlike in Python, 1 is not in {@code [true]}. */
  boolean contains(Object container, Object value) {
    if (container instanceof String text) {
      if (!(value instanceof String part)) {
        // As the JavaScript engine: what is undefined is in nothing.
        if (value instanceof Undefined) {
          return false;
        }
        throw new Failure("%s cannot be in a string; expected a string", Values.kind(value));
      }
      budget.spendSearch(text, new Arguments(List.of(part), Map.of()));
      return text.contains(part);
    } else if (container instanceof Map<?, ?> map) {
      return map.containsKey(Values.key(value));
    }
    for (Object item : Values.iterate(container, budget)) {
      if (item instanceof Boolean == value instanceof Boolean
          && Values.equal(item, value, budget)) {
        return true;
      }
    }
    return false;
  }
}

package io.minimind.template;

import java.util.List;
import java.util.Map;

/** What may stand after {@code is}. */
final class Tests {

  private interface Test {
    boolean test(Object value, Arguments arguments, Budget budget);
  }

  private interface Predicate {
    boolean test(Object value);
  }

  static final Map<String, Test> ALL =
      Map.ofEntries(
          plain("boolean", value -> value instanceof Boolean),
          plain("callable", value -> value instanceof Function),
          plain("defined", value -> !(value instanceof Undefined)),
          plain("undefined", value -> value instanceof Undefined),
          plain("none", value -> value == null),
          plain("true", Boolean.TRUE::equals),
          plain("false", Boolean.FALSE::equals),
          plain("string", value -> value instanceof String),
          plain("number", Numbers::isNumeric),
          plain("integer", value -> Numbers.isInteger(value) && !(value instanceof Boolean)),
          plain("float", value -> value instanceof Double),
          plain("mapping", value -> value instanceof Map),
          plain("sequence", Values::isIterable),
          plain("iterable", Values::isIterable),
          plain("escaped", value -> false),
          plain("odd", value -> remainder(value, 2) != 0),
          plain("even", value -> remainder(value, 2) == 0),
          plain("filter", name -> name instanceof String && Filters.ALL.containsKey(name)),
          plain("test", name -> name instanceof String && isTest(name)),
          Map.entry("lower", (value, arguments, budget) -> isCased(value, budget, false)),
          Map.entry("upper", (value, arguments, budget) -> isCased(value, budget, true)),
          Map.entry("divisibleby", Tests::divisibleBy),
          Map.entry("in", Tests::in),
          Map.entry("sameas", Tests::sameAs),
          comparing("eq", "=="),
          comparing("equalto", "=="),
          comparing("ne", "!="),
          comparing("lt", "<"),
          comparing("lessthan", "<"),
          comparing("le", "<="),
          comparing("gt", ">"),
          comparing("greaterthan", ">"),
          comparing("ge", ">="));

  /** Names that only {@code select} and its like can give, as strings. */
  private static final List<String> SYMBOLS = List.of("==", "!=", "<", "<=", ">", ">=");

  private Tests() {}

  static boolean test(String name, Object value, Arguments arguments, Budget budget) {
    budget.spend(1);
    if (SYMBOLS.contains(name)) {
      return new Operators(budget).compare(name, value, arguments.bind("other").get("other"));
    } else if (!ALL.containsKey(name)) {
      throw new Failure("there is no test named \"%s\"", name);
    }
    try {
      return ALL.get(name).test(value, arguments, budget);
    } catch (Failure e) {
      throw new Failure("%s", "the test \"" + name + "\": " + e.getMessage());
    }
  }

  private static Map.Entry<String, Test> plain(String name, Predicate predicate) {
    return Map.entry(
        name,
        (value, arguments, budget) -> {
          arguments.bind();
          return predicate.test(value);
        });
  }

  private static Map.Entry<String, Test> comparing(String name, String operator) {
    return Map.entry(
        name,
        (value, arguments, budget) ->
            new Operators(budget).compare(operator, value, arguments.bind("other").get("other")));
  }

  private static long remainder(Object value, long divisor) {
    if (value instanceof Double real) {
      return real % divisor == 0 ? 0 : 1;
    }
    return Math.floorMod(Numbers.toLong(value), divisor);
  }

  private static boolean divisibleBy(Object value, Arguments arguments, Budget budget) {
    long divisor = Numbers.toLong(arguments.bind("num").get("num"));
    if (divisor == 0) {
      throw new Failure("division by zero");
    }
    return remainder(value, divisor) == 0;
  }

  private static boolean in(Object value, Arguments arguments, Budget budget) {
    return new Operators(budget).contains(arguments.bind("seq").get("seq"), value);
  }

  private static boolean sameAs(Object value, Arguments arguments, Budget budget) {
    Object other = arguments.bind("other").get("other");
    budget.spendValue(other);
    return value == other
        || value != null
            && other != null
            && value.getClass() == other.getClass()
            && !(value instanceof List || value instanceof Map)
            && value.equals(other);
  }

  private static boolean isCased(Object value, Budget budget, boolean upper) {
    String text = Values.toText(value, budget);
    budget.spendText(text.length());
    return StringMethods.isCased(text, upper);
  }

  private static boolean isTest(Object name) {
    return ALL.containsKey(name) || SYMBOLS.contains(name);
  }
}

package io.minimind.template;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of a template: null for none, {@code Boolean}, {@code Long}, {@code BigInteger} beyond
 * it, {@code Double}, {@code String}, {@code List}, {@code Map}, {@link Namespace}, {@link
 * Function}, {@link Undefined}.
 */
final class Values {

  private Values() {}

  /** A value of a template for one of Java. */
  static Object of(Object value, Budget budget) {
    budget.spend(1);
    if (value == null
        || value instanceof Boolean
        || value instanceof String
        || value instanceof Long
        || value instanceof Double) {
      return value;
    } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    } else if (value instanceof BigInteger big) {
      return big.bitLength() < 64 ? (Object) big.longValue() : big;
    } else if (value instanceof Float || value instanceof BigDecimal) {
      return Double.valueOf(value.toString());
    } else if (value instanceof Character || value instanceof Enum) {
      return value.toString();
    } else if (value instanceof Optional<?> optional) {
      return of(optional.orElse(null), budget);
    }
    budget.enter();
    Object container = container(value, budget);
    budget.leave();
    return container;
  }

  private static Object container(Object value, Budget budget) {
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> values = new LinkedHashMap<>();
      map.forEach((key, element) -> values.put(key(of(key, budget)), of(element, budget)));
      return Collections.unmodifiableMap(values);
    } else if (value instanceof Iterable<?> items) {
      List<Object> values = new ArrayList<>();
      items.forEach(item -> values.add(of(item, budget)));
      return Collections.unmodifiableList(values);
    } else if (value.getClass().isArray()) {
      List<Object> values = new ArrayList<>();
      for (int i = 0; i < Array.getLength(value); i++) {
        values.add(of(Array.get(value, i), budget));
      }
      return Collections.unmodifiableList(values);
    }
    throw new Failure(
        "a variable holds a %s; expected strings, numbers, booleans, lists, maps or null",
        value.getClass().getName());
  }

  /** A value as the key of a mapping, where 1.0 is 1. */
  static Object key(Object value) {
    if (value instanceof List || value instanceof Map || value instanceof Undefined) {
      throw new Failure("%s cannot be the key of a mapping", kind(value));
    }
    return value instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e15
        ? (Object) number.longValue()
        : value;
  }

  /** What a value is, for messages. */
  static String kind(Object value) {
    if (value == null) {
      return "none";
    } else if (value instanceof Boolean) {
      return "a boolean";
    } else if (value instanceof Double) {
      return "a float";
    } else if (value instanceof Number) {
      return "an integer";
    } else if (value instanceof String) {
      return "a string";
    } else if (value instanceof List) {
      return "a list";
    } else if (value instanceof Map) {
      return "a mapping";
    } else if (value instanceof Undefined) {
      return "an undefined value";
    } else if (value instanceof Namespace) {
      return "a namespace";
    } else if (value instanceof Cycler) {
      return "a cycler";
    }
    return "a function";
  }

  static boolean isTrue(Object value) {
    if (value == null || value instanceof Undefined) {
      return false;
    } else if (value instanceof Boolean flag) {
      return flag;
    } else if (value instanceof Number) {
      return Numbers.toDouble(value) != 0;
    } else if (value instanceof String text) {
      return !text.isEmpty();
    } else if (value instanceof List<?> list) {
      return !list.isEmpty();
    } else if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return true;
  }

  /** The elements of a list, the characters of a string, the keys of a mapping. */
  static List<?> iterate(Object value, Budget budget) {
    if (value instanceof List<?> list) {
      budget.spend(list.size());
      return list;
    } else if (value instanceof String text) {
      budget.spendItems(Text.length(text));
      return Text.characters(text);
    } else if (value instanceof Map<?, ?> map) {
      budget.spend(map.size());
      return new ArrayList<>(map.keySet());
    } else if (value instanceof Undefined) {
      return List.of();
    }
    throw new Failure("%s is not iterable; expected a list, a string or a mapping", kind(value));
  }

  static boolean isIterable(Object value) {
    return value instanceof List
        || value instanceof String
        || value instanceof Map
        || value instanceof Undefined;
  }

  static int length(Object value) {
    if (value instanceof String text) {
      return Text.length(text);
    } else if (value instanceof List<?> list) {
      return list.size();
    } else if (value instanceof Map<?, ?> map) {
      return map.size();
    } else if (value instanceof Undefined) {
      return 0;
    }
    throw new Failure("%s has no length", kind(value));
  }

  /** As it is printed, which is as Python does it. */
  static String toText(Object value, Budget budget) {
    if (value instanceof String text) {
      return text;
    } else if (value == null) {
      return "None";
    } else if (value instanceof Undefined) {
      return "";
    } else if (value instanceof Double number) {
      return Numbers.toText(number);
    } else if (value instanceof Boolean flag) {
      return flag ? "True" : "False";
    } else if (value instanceof Number) {
      return value.toString();
    } else if (value instanceof List || value instanceof Map) {
      return PythonText.of(value, budget);
    } else if (value instanceof Namespace namespace) {
      return "<Namespace " + PythonText.of(namespace.members(), budget) + ">";
    }
    return "<" + kind(value).replaceFirst("an? ", "") + ">";
  }

  static boolean equal(Object a, Object b, Budget budget) {
    budget.spend(1);
    if (Numbers.isNumeric(a) && Numbers.isNumeric(b)) {
      return Numbers.equal(a, b);
    } else if (a instanceof String x && b instanceof String y) {
      budget.spendText(Math.min(x.length(), y.length()));
      return x.equals(y);
    } else if (a instanceof Undefined) {
      return b instanceof Undefined;
    }
    budget.enter();
    boolean equal =
        a instanceof List<?> x && b instanceof List<?> y
            ? equalLists(x, y, budget)
            : a instanceof Map<?, ?> m && b instanceof Map<?, ?> n
                ? equalMaps(m, n, budget)
                : a == b;
    budget.leave();
    return equal;
  }

  private static boolean equalLists(List<?> a, List<?> b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = 0; i < a.size(); i++) {
      if (!equal(a.get(i), b.get(i), budget)) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalMaps(Map<?, ?> a, Map<?, ?> b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    for (Map.Entry<?, ?> entry : a.entrySet()) {
      if (!b.containsKey(entry.getKey())
          || !equal(entry.getValue(), b.get(entry.getKey()), budget)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The order of two values.
   *
   * @throws Failure if they have none; equal values need none
   */
  static int compare(Object a, Object b, Budget budget) {
    budget.spend(1);
    if (Numbers.isNumeric(a) && Numbers.isNumeric(b)) {
      return Numbers.compare(a, b);
    } else if (a instanceof String x && b instanceof String y) {
      budget.spendText(Math.min(x.length(), y.length()));
      return Text.compare(x, y);
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      budget.enter();
      int order = 0;
      for (int i = 0; order == 0 && i < Math.min(x.size(), y.size()); i++) {
        order = equal(x.get(i), y.get(i), budget) ? 0 : compare(x.get(i), y.get(i), budget);
      }
      budget.leave();
      return order != 0 ? order : Integer.compare(x.size(), y.size());
    }
    throw new Failure("%s and %s have no order", kind(a), kind(b));
  }
}

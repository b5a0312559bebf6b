package io.minimind.template;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a function or filter is called with. */
record Arguments(List<Object> positional, Map<String, Object> named) {

  /**
   * Gives the arguments the names of the parameters, in their order.
   *
   * @throws Failure if there are too many, or one of another name
   */
  Bound bind(String... parameters) {
    if (positional.size() > parameters.length) {
      throw new Failure(
          "expected at most %d arguments, found %d", parameters.length, positional.size());
    }
    Map<String, Object> values = new HashMap<>();
    for (int i = 0; i < positional.size(); i++) {
      values.put(parameters[i], positional.get(i));
    }
    List<String> known = Arrays.asList(parameters);
    named.forEach(
        (name, value) -> {
          if (!known.contains(name)) {
            throw new Failure("there is no argument named \"%s\"", name);
          } else if (values.containsKey(name)) {
            throw new Failure("the argument \"%s\" is given twice", name);
          }
          values.put(name, value);
        });
    return new Bound(values);
  }

  /** The arguments without the first of the positional ones. */
  Arguments rest() {
    return new Arguments(positional.subList(1, positional.size()), named);
  }

  /** Arguments under the names of their parameters. */
  record Bound(Map<String, Object> values) {

    boolean has(String name) {
      return values.containsKey(name);
    }

    Object get(String name) {
      if (!has(name)) {
        throw new Failure("the argument \"%s\" is missing", name);
      }
      return values.get(name);
    }

    Object get(String name, Object absent) {
      return values.getOrDefault(name, absent);
    }

    boolean isNone(String name) {
      return values.get(name) == null;
    }

    String text(String name) {
      if (get(name) instanceof String text) {
        return text;
      }
      throw new Failure(
          "the argument \"%s\" is %s; expected a string", name, Values.kind(get(name)));
    }

    String text(String name, String absent) {
      return isNone(name) ? absent : text(name);
    }

    int integer(String name, int absent) {
      return has(name) ? Numbers.index(get(name)) : absent;
    }

    boolean flag(String name, boolean absent) {
      return has(name) ? Values.isTrue(get(name)) : absent;
    }
  }
}

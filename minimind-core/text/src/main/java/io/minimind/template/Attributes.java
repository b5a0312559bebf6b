package io.minimind.template;

import java.util.List;
import java.util.Map;

/** {@code target.name} and {@code target[key]}. */
final class Attributes {

  private Attributes() {}

  /** A method before an element, as in jinja2. */
  static Object attribute(Object target, String name, Budget budget) {
    Object member = member(target, name, budget);
    if (!(member instanceof Undefined)) {
      return member;
    }
    return target instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : member;
  }

  /** An element before a method. */
  static Object item(Object target, Object key, Budget budget) {
    budget.spendValue(key);
    if (target instanceof Map<?, ?> map && isKey(key) && map.containsKey(Values.key(key))) {
      return map.get(Values.key(key));
    } else if (Numbers.isInteger(key) && target instanceof List<?> list) {
      long index = position(key, list.size());
      return index < 0 ? Undefined.attribute(target, key) : list.get((int) index);
    } else if (Numbers.isInteger(key) && target instanceof String text) {
      budget.spendText(text.length());
      long index = position(key, Text.length(text));
      return index < 0 ? Undefined.attribute(target, key) : Text.at(text, (int) index);
    }
    return key instanceof String name || target instanceof Undefined
        ? member(target, String.valueOf(key), budget)
        : Undefined.attribute(target, key);
  }

  /** An element by a dotted path, {@code a.b.0}, for filters. */
  static Object path(Object target, Object path, Budget budget) {
    if (!(path instanceof String names)) {
      return item(target, path, budget);
    }
    // There are no more names than characters.
    budget.spendItems(names.length());
    Object value = target;
    for (String name : names.split("\\.", -1)) {
      value = item(value, name.matches("\\d{1,9}") ? Long.valueOf(name) : name, budget);
    }
    return value;
  }

  private static boolean isKey(Object key) {
    return !(key instanceof List || key instanceof Map || key instanceof Undefined);
  }

  /** A position from the start, or -1 if it is outside. */
  private static long position(Object index, int length) {
    long position = Numbers.toLong(index);
    position = position < 0 ? position + length : position;
    return position < length ? Math.max(-1, position) : -1;
  }

  private static Object member(Object target, String name, Budget budget) {
    if (target instanceof Undefined undefined) {
      throw new Failure("%s", undefined.problem());
    } else if (target instanceof Namespace namespace && namespace.members().containsKey(name)) {
      return namespace.members().get(name);
    } else if (target instanceof Cycler cycler) {
      return cycler.attribute(name);
    } else if (target instanceof Renderer.Macro macro) {
      return macro.attribute(name);
    } else if (target instanceof Loop loop) {
      return loop.attribute(name);
    } else if (target instanceof String text && StringMethods.ALL.containsKey(name)) {
      return (Function) arguments -> StringMethods.call(name, text, arguments, budget);
    } else if (target instanceof Map<?, ?> map && ContainerMethods.OF_MAPS.containsKey(name)) {
      return (Function) arguments -> ContainerMethods.call(name, map, arguments, budget);
    } else if (target instanceof List<?> list && ContainerMethods.OF_LISTS.containsKey(name)) {
      return (Function) arguments -> ContainerMethods.call(name, list, arguments, budget);
    }
    return Undefined.attribute(target, name);
  }
}

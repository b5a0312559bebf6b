package io.minimind.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Methods of lists and mappings; those that would change them are refused. */
final class ContainerMethods {

  private interface MapMethod {
    Object call(Map<?, ?> map, Arguments arguments);
  }

  private interface ListMethod {
    Object call(List<?> list, Arguments arguments, Budget budget);
  }

  static final Map<String, MapMethod> OF_MAPS =
      Map.ofEntries(
          Map.entry("get", ContainerMethods::get),
          Map.entry("items", (map, arguments) -> items(map)),
          Map.entry("keys", (map, arguments) -> new ArrayList<>(map.keySet())),
          Map.entry("values", (map, arguments) -> new ArrayList<>(map.values())),
          Map.entry("copy", (map, arguments) -> new LinkedHashMap<>(map)),
          Map.entry("update", ContainerMethods::refuse),
          Map.entry("pop", ContainerMethods::refuse),
          Map.entry("popitem", ContainerMethods::refuse),
          Map.entry("setdefault", ContainerMethods::refuse),
          Map.entry("clear", ContainerMethods::refuse));

  static final Map<String, ListMethod> OF_LISTS =
      Map.ofEntries(
          Map.entry("index", ContainerMethods::index),
          Map.entry("count", ContainerMethods::count),
          Map.entry("copy", (list, arguments, budget) -> new ArrayList<>(list)),
          Map.entry("append", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("extend", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("insert", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("pop", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("remove", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("reverse", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("sort", (list, arguments, budget) -> refuse(Map.of(), arguments)),
          Map.entry("clear", (list, arguments, budget) -> refuse(Map.of(), arguments)));

  private ContainerMethods() {}

  static Object call(String name, Map<?, ?> map, Arguments arguments, Budget budget) {
    budget.spend(1 + map.size());
    return OF_MAPS.get(name).call(map, arguments);
  }

  static Object call(String name, List<?> list, Arguments arguments, Budget budget) {
    budget.spend(1 + list.size());
    return OF_LISTS.get(name).call(list, arguments, budget);
  }

  /** Pairs of keys and values. */
  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    map.forEach((key, value) -> items.add(pair(key, value)));
    return items;
  }

  static List<Object> pair(Object first, Object second) {
    return Tuple.of(first, second);
  }

  private static Object get(Map<?, ?> map, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("key", "default");
    Object key = Values.key(bound.get("key"));
    return map.containsKey(key) ? map.get(key) : bound.get("default", null);
  }

  private static Object index(List<?> list, Arguments arguments, Budget budget) {
    Object value = arguments.bind("value").get("value");
    for (int i = 0; i < list.size(); i++) {
      if (Values.equal(list.get(i), value, budget)) {
        return (long) i;
      }
    }
    throw new Failure("the value is not in the list");
  }

  private static Object count(List<?> list, Arguments arguments, Budget budget) {
    Object value = arguments.bind("value").get("value");
    return list.stream().filter(item -> Values.equal(item, value, budget)).count();
  }

  private static Object refuse(Map<?, ?> map, Arguments arguments) {
    throw new Failure("templates may not change lists or mappings; expected a namespace");
  }
}

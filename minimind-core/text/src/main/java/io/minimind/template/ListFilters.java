package io.minimind.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Filters of lists, of whatever can be a list, and of mappings. Each gives a list of its own. */
final class ListFilters {

  private ListFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    filters.put("length", (value, arguments, budget) -> (long) Values.length(value));
    filters.put("count", (value, arguments, budget) -> (long) Values.length(value));
    filters.put("list", (value, arguments, budget) -> list(value, budget));
    filters.put("items", ListFilters::items);
    filters.put("first", (value, arguments, budget) -> end(value, budget, true));
    filters.put("last", (value, arguments, budget) -> end(value, budget, false));
    filters.put("join", ListFilters::join);
    filters.put("reverse", ListFilters::reverse);
    filters.put("map", ListFilters::map);
    filters.put(
        "select", (value, arguments, budget) -> select(value, arguments, budget, true, false));
    filters.put(
        "reject", (value, arguments, budget) -> select(value, arguments, budget, false, false));
    filters.put(
        "selectattr", (value, arguments, budget) -> select(value, arguments, budget, true, true));
    filters.put(
        "rejectattr", (value, arguments, budget) -> select(value, arguments, budget, false, true));
    filters.put("sort", ListFilters::sort);
    filters.put("dictsort", ListFilters::sortMap);
    filters.put("unique", ListFilters::unique);
    filters.put("groupby", ListFilters::groupBy);
    filters.put("min", (value, arguments, budget) -> extreme(value, arguments, budget, -1));
    filters.put("max", (value, arguments, budget) -> extreme(value, arguments, budget, 1));
    filters.put("sum", ListFilters::sum);
    filters.put("batch", ListFilters::batch);
    filters.put("slice", ListFilters::slice);
  }

  private static List<Object> list(Object value, Budget budget) {
    List<?> items = Values.iterate(value, budget);
    budget.spendItems(items.size());
    return new ArrayList<>(items);
  }

  private static Object items(Object value, Arguments arguments, Budget budget) {
    if (value instanceof Undefined) {
      return List.of();
    } else if (value instanceof Map<?, ?> map) {
      return ContainerMethods.items(map);
    }
    throw new Failure("%s has no items; expected a mapping", Values.kind(value));
  }

  private static Object end(Object value, Budget budget, boolean first) {
    if (value instanceof String text && !text.isEmpty()) {
      return Attributes.item(text, first ? 0L : -1L, budget);
    }
    List<?> items = Values.iterate(value, budget);
    return items.isEmpty()
        ? new Undefined("there is no element in an empty list")
        : items.get(first ? 0 : items.size() - 1);
  }

  private static Object join(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("d", "attribute");
    String separator = Values.toText(bound.get("d", ""), budget);
    List<Object> parts = new ArrayList<>();
    for (Object item : Values.iterate(value, budget)) {
      parts.add(parts.isEmpty() ? "" : separator);
      parts.add(
          bound.isNone("attribute") ? item : Attributes.path(item, bound.get("attribute"), budget));
    }
    return new Operators(budget).concatenate(parts);
  }

  private static Object reverse(Object value, Arguments arguments, Budget budget) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<Object> items = list(value, budget);
    Collections.reverse(items);
    return items;
  }

  private static Object map(Object value, Arguments arguments, Budget budget) {
    List<Object> mapped = new ArrayList<>();
    if (arguments.positional().isEmpty()) {
      Arguments.Bound bound = arguments.bind("attribute", "default");
      Object path = bound.get("attribute");
      for (Object item : Values.iterate(value, budget)) {
        Object found = Attributes.path(item, path, budget);
        mapped.add(found instanceof Undefined ? bound.get("default", found) : found);
      }
      return mapped;
    }
    String filter = name(arguments);
    for (Object item : Values.iterate(value, budget)) {
      mapped.add(Filters.apply(filter, item, arguments.rest(), budget));
    }
    return mapped;
  }

  private static String name(Arguments arguments) {
    if (arguments.positional().get(0) instanceof String name) {
      return name;
    }
    throw new Failure("expected the name of a filter or test as a string");
  }

  /**
   * @param chosen the outcome of the test for what is kept
   * @param ofAttribute whether the first argument names the attribute that is tested
   */
  private static List<Object> select(
      Object value, Arguments arguments, Budget budget, boolean chosen, boolean ofAttribute) {
    Optional<Object> path = Optional.empty();
    Arguments rest = arguments;
    if (ofAttribute) {
      if (arguments.positional().isEmpty()) {
        throw new Failure("expected the name of an attribute");
      }
      path = Optional.of(arguments.positional().get(0));
      rest = arguments.rest();
    }
    Optional<String> test =
        rest.positional().isEmpty() ? Optional.empty() : Optional.of(name(rest));
    rest = test.isPresent() ? rest.rest() : rest;
    List<Object> selected = new ArrayList<>();
    for (Object item : Values.iterate(value, budget)) {
      Object tested = path.isPresent() ? Attributes.path(item, path.get(), budget) : item;
      boolean outcome =
          test.isPresent() ? Tests.test(test.get(), tested, rest, budget) : Values.isTrue(tested);
      if (outcome == chosen) {
        selected.add(item);
      }
    }
    return selected;
  }

  /** What an element is compared by: itself or an attribute, strings without their case. */
  private static Object key(Object item, Object path, boolean caseSensitive, Budget budget) {
    Object key = path == null ? item : Attributes.path(item, path, budget);
    if (key instanceof String text && !caseSensitive) {
      budget.spendText(text.length());
      return text.toLowerCase(Locale.ROOT);
    }
    return key;
  }

  private static Comparator<Object> order(Object path, boolean caseSensitive, Budget budget) {
    return (a, b) -> {
      Object x = key(a, path, caseSensitive, budget);
      Object y = key(b, path, caseSensitive, budget);
      return Values.equal(x, y, budget) ? 0 : Values.compare(x, y, budget);
    };
  }

  private static Object sort(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("reverse", "case_sensitive", "attribute");
    boolean caseSensitive = bound.flag("case_sensitive", false);
    Comparator<Object> order = (a, b) -> 0;
    if (bound.get("attribute", null) instanceof String paths) {
      budget.spendItems(paths.length());
      for (String path : paths.split(",")) {
        order = order.thenComparing(order(path.strip(), caseSensitive, budget));
      }
    } else {
      order = order(bound.get("attribute", null), caseSensitive, budget);
    }
    List<Object> items = list(value, budget);
    items.sort(bound.flag("reverse", false) ? order.reversed() : order);
    return items;
  }

  private static Object sortMap(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("case_sensitive", "by", "reverse");
    String by = bound.text("by", "key");
    if (!by.equals("key") && !by.equals("value")) {
      throw new Failure("by is \"%s\"; expected \"key\" or \"value\"", by);
    } else if (!(value instanceof Map<?, ?> map)) {
      throw new Failure("%s cannot be sorted so; expected a mapping", Values.kind(value));
    } else {
      List<Object> items = ContainerMethods.items(map);
      long part = by.equals("key") ? 0 : 1;
      Comparator<Object> order = order(part, bound.flag("case_sensitive", false), budget);
      items.sort(bound.flag("reverse", false) ? order.reversed() : order);
      return items;
    }
  }

  private static Object unique(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("case_sensitive", "attribute");
    List<Object> keys = new ArrayList<>();
    List<Object> items = new ArrayList<>();
    for (Object item : Values.iterate(value, budget)) {
      Object key =
          key(item, bound.get("attribute", null), bound.flag("case_sensitive", false), budget);
      if (keys.stream().noneMatch(other -> Values.equal(key, other, budget))) {
        keys.add(key);
        items.add(item);
      }
    }
    return items;
  }

  /** Pairs of an attribute's value and the elements that have it, in its order. */
  private static Object groupBy(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("attribute", "default", "case_sensitive");
    boolean caseSensitive = bound.flag("case_sensitive", false);
    Object path = bound.get("attribute");
    List<Object> items = list(value, budget);
    items.sort(order(path, caseSensitive, budget));
    List<Object> groups = new ArrayList<>();
    Object last = null;
    List<Object> group = List.of();
    for (Object item : items) {
      Object key = key(item, path, caseSensitive, budget);
      if (group.isEmpty() || !Values.equal(key, last, budget)) {
        group = new ArrayList<>();
        groups.add(ContainerMethods.pair(Attributes.path(item, path, budget), group));
      }
      last = key;
      group.add(item);
    }
    return groups;
  }

  private static Object extreme(Object value, Arguments arguments, Budget budget, int sign) {
    Arguments.Bound bound = arguments.bind("case_sensitive", "attribute");
    Object path = bound.get("attribute", null);
    Comparator<Object> order = order(path, bound.flag("case_sensitive", false), budget);
    List<?> items = Values.iterate(value, budget);
    if (items.isEmpty()) {
      return new Undefined("there is no element in an empty list");
    }
    Object best = items.get(0);
    for (Object item : items) {
      best = order.compare(item, best) * sign > 0 ? item : best;
    }
    return best;
  }

  private static Object sum(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("attribute", "start");
    Object path = bound.get("attribute", null);
    Object sum = bound.get("start", 0L);
    for (Object item : Values.iterate(value, budget)) {
      Object part = path == null ? item : Attributes.path(item, path, budget);
      sum = new Operators(budget).binary("+", sum, part);
    }
    return sum;
  }

  private static Object batch(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("linecount", "fill_with");
    int size = Numbers.index(bound.get("linecount"));
    if (size < 1) {
      throw new Failure("a batch has %d elements; expected at least 1", size);
    }
    List<Object> items = list(value, budget);
    List<Object> batches = new ArrayList<>();
    for (int start = 0; start < items.size(); start += size) {
      int end = Math.min(items.size() - start, size) + start;
      List<Object> batch = new ArrayList<>(items.subList(start, end));
      fill(batch, size, bound, budget);
      batches.add(batch);
      if (end == items.size()) {
        break;
      }
    }
    return batches;
  }

  private static void fill(List<Object> part, int size, Arguments.Bound bound, Budget budget) {
    if (!bound.isNone("fill_with")) {
      budget.spendItems(size);
      while (part.size() < size) {
        part.add(bound.get("fill_with"));
      }
    }
  }

  private static Object slice(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("slices", "fill_with");
    int count = Numbers.index(bound.get("slices"));
    if (count < 1) {
      throw new Failure("there are %d slices; expected at least 1", count);
    }
    budget.spendItems(count);
    List<Object> items = list(value, budget);
    int least = items.size() / count;
    int larger = items.size() % count;
    List<Object> slices = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < count; i++) {
      int end = start + least + (i < larger ? 1 : 0);
      List<Object> slice = new ArrayList<>(items.subList(start, end));
      if (i >= larger) {
        fill(slice, least + 1, bound, budget);
      }
      slices.add(slice);
      start = end;
    }
    return slices;
  }
}

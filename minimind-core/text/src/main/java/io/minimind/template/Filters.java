package io.minimind.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What may stand after {@code |}, by name. */
final class Filters {

  interface Filter {
    Object apply(Object value, Arguments arguments, Budget budget);
  }

  static final Map<String, Filter> ALL = all();

  private Filters() {}

  private static Map<String, Filter> all() {
    Map<String, Filter> filters = new LinkedHashMap<>();
    TextFilters.addTo(filters);
    ListFilters.addTo(filters);
    NumberFilters.addTo(filters);
    filters.put("tojson", JsonText::of);
    filters.put("default", Filters::orDefault);
    filters.put("d", Filters::orDefault);
    filters.put("attr", Filters::attribute);
    return Map.copyOf(filters);
  }

  static Object apply(String name, Object value, Arguments arguments, Budget budget) {
    if (!ALL.containsKey(name)) {
      throw new Failure("there is no filter named \"%s\"", name);
    }
    budget.spend(1);
    if (value instanceof String text) {
      budget.spendSearch(text, arguments);
    } else if (value instanceof List<?> list) {
      budget.spend(list.size());
    } else if (value instanceof Map<?, ?> map) {
      budget.spend(map.size());
    }
    return budget.spendValue(ALL.get(name).apply(value, arguments, budget));
  }

  private static Object orDefault(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("default_value", "boolean");
    boolean missing =
        value instanceof Undefined || bound.flag("boolean", false) && !Values.isTrue(value);
    return missing ? bound.get("default_value", "") : value;
  }

  private static Object attribute(Object value, Arguments arguments, Budget budget) {
    return Attributes.attribute(value, arguments.bind("name").text("name"), budget);
  }
}

package io.minimind.template;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes values as Python's json module does. */
final class JsonText {

  private static final HexFormat HEX = HexFormat.of();

  private final StringBuilder text = new StringBuilder();
  private final Budget budget;
  private final boolean ascii;
  private final boolean sorted;
  private final Optional<String> indent;
  private final String itemSeparator;
  private final String keySeparator;
  private int level;
  private int accounted;

  private JsonText(
      Budget budget,
      boolean ascii,
      boolean sorted,
      Optional<String> indent,
      String itemSeparator,
      String keySeparator) {
    this.budget = budget;
    this.ascii = ascii;
    this.sorted = sorted;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
  }

  /** The filter {@code tojson}, with the arguments that transformers gives it. */
  static String of(Object value, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("ensure_ascii", "indent", "separators", "sort_keys");
    Optional<String> indent = indent(bound.get("indent", null));
    String item = indent.isPresent() ? "," : ", ";
    String key = ": ";
    if (!bound.isNone("separators")) {
      if (!(bound.get("separators") instanceof List<?> pair)
          || pair.size() != 2
          || !(pair.get(0) instanceof String first)
          || !(pair.get(1) instanceof String second)) {
        throw new Failure("separators has another form; expected two strings");
      }
      item = first;
      key = second;
    }
    JsonText json =
        new JsonText(
            budget,
            bound.flag("ensure_ascii", false),
            bound.flag("sort_keys", false),
            indent,
            item,
            key);
    // Of transformers this is an error, of the JavaScript engine it is not.
    return json.text(value instanceof Undefined ? null : value);
  }

  private static Optional<String> indent(Object indent) {
    if (indent == null) {
      return Optional.empty();
    }
    return Optional.of(
        indent instanceof String own
            ? own
            : " ".repeat(Math.max(0, Math.min(1000, Numbers.index(indent)))));
  }

  private String text(Object value) {
    write(value);
    return text.toString();
  }

  private void write(Object value) {
    budget.enter();
    if (value == null) {
      text.append("null");
    } else if (value instanceof String string) {
      quote(string);
    } else if (value instanceof Double number) {
      text.append(number(number));
    } else if (value instanceof Number || value instanceof Boolean) {
      text.append(value);
    } else if (value instanceof List<?> list) {
      writeList(list);
    } else if (value instanceof Map<?, ?> map) {
      writeMap(map);
    } else {
      throw new Failure("%s has no JSON form", Values.kind(value));
    }
    budget.leave();
    budget.spendText(text.length() - accounted);
    accounted = text.length();
    if (text.length() > Template.MAX_LENGTH) {
      budget.spendText(text.length());
    }
  }

  private String number(double number) {
    return Double.isNaN(number)
        ? "NaN"
        : Double.isInfinite(number)
            ? number > 0 ? "Infinity" : "-Infinity"
            : Numbers.toText(number);
  }

  private void writeList(List<?> list) {
    text.append('[');
    level++;
    for (int i = 0; i < list.size(); i++) {
      text.append(i == 0 ? "" : itemSeparator);
      newLine();
      write(list.get(i));
    }
    level--;
    if (!list.isEmpty()) {
      newLine();
    }
    text.append(']');
  }

  private void writeMap(Map<?, ?> map) {
    text.append('{');
    level++;
    String separator = "";
    List<? extends Map.Entry<?, ?>> entries = List.copyOf(map.entrySet());
    if (sorted) {
      entries =
          entries.stream()
              .sorted((a, b) -> Values.compare(a.getKey(), b.getKey(), budget))
              .toList();
    }
    for (Map.Entry<?, ?> entry : entries) {
      text.append(separator);
      separator = itemSeparator;
      newLine();
      quote(key(entry.getKey()));
      text.append(keySeparator);
      write(entry.getValue());
    }
    level--;
    if (!map.isEmpty()) {
      newLine();
    }
    text.append('}');
  }

  private String key(Object key) {
    return key == null || key instanceof Boolean ? String.valueOf(key) : Values.toText(key, budget);
  }

  private void newLine() {
    indent.ifPresent(
        step -> {
          budget.spendText((long) step.length() * level);
          text.append('\n').append(step.repeat(level));
        });
  }

  private void quote(String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      int escape = "\"\\\n\r\t\f\b".indexOf(c);
      if (escape >= 0) {
        text.append('\\').append("\"\\nrtfb".charAt(escape));
      } else if (c < ' ' || ascii && c > '~') {
        text.append("\\u").append(HEX.toHexDigits(c));
      } else {
        text.append(c);
      }
    }
    text.append('"');
  }
}

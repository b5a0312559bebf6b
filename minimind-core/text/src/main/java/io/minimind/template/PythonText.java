package io.minimind.template;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Writes values as Python prints them within others, {@code repr}: texts stand in quotes. */
final class PythonText {

  private static final HexFormat HEX = HexFormat.of();

  private final StringBuilder text = new StringBuilder();
  private final Budget budget;
  private int accounted;

  private PythonText(Budget budget) {
    this.budget = budget;
  }

  static String of(Object value, Budget budget) {
    PythonText python = new PythonText(budget);
    python.write(value);
    return python.text.toString();
  }

  private void write(Object value) {
    budget.enter();
    if (value instanceof String string) {
      quote(string);
    } else if (value instanceof Tuple tuple) {
      writeAll("(", tuple, tuple.size() == 1 ? ",)" : ")");
    } else if (value instanceof List<?> list) {
      writeAll("[", list, "]");
    } else if (value instanceof Map<?, ?> map) {
      writeMap(map);
    } else {
      text.append(value instanceof Undefined ? "Undefined" : Values.toText(value, budget));
    }
    budget.leave();
    budget.spendText(text.length() - accounted);
    accounted = text.length();
    if (text.length() > Template.MAX_LENGTH) {
      budget.spendText(text.length());
    }
  }

  private void writeAll(String start, List<?> list, String end) {
    String before = start;
    for (Object item : list) {
      text.append(before);
      write(item);
      before = ", ";
    }
    text.append(list.isEmpty() ? start : "").append(end);
  }

  private void writeMap(Map<?, ?> map) {
    text.append('{');
    String before = "";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      text.append(before);
      write(entry.getKey());
      text.append(": ");
      write(entry.getValue());
      before = ", ";
    }
    text.append('}');
  }

  private void quote(String string) {
    char mark = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    text.append(mark);
    for (int i = 0; i < string.length(); ) {
      int symbol = string.codePointAt(i);
      i += Character.charCount(symbol);
      switch (symbol) {
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\\' -> text.append("\\\\");
        default -> {
          if (symbol == mark) {
            text.append('\\').append(mark);
          } else if (isPrintable(symbol)) {
            text.appendCodePoint(symbol);
          } else {
            text.append(escape(symbol));
          }
        }
      }
    }
    text.append(mark);
  }

  static String escape(int symbol) {
    return symbol < 0x100
        ? "\\x" + HEX.toHexDigits((byte) symbol)
        : symbol < 0x10000
            ? "\\u" + HEX.toHexDigits((char) symbol)
            : "\\U" + HEX.toHexDigits(symbol);
  }

  /** As Python's {@code str.isprintable}: of all separators, the space alone. */
  static boolean isPrintable(int symbol) {
    return switch (Character.getType(symbol)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> symbol == ' ';
      default -> true;
    };
  }
}

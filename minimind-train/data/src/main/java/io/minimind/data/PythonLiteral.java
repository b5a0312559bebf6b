package io.minimind.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;

/**
 * Reads a Python literal, as {@code repr} and {@code ast.literal_eval} know it, into the JSON value
 * that says the same: strings of every kind of quotes and prefix but bytes and f-strings, lists and
 * tuples as arrays, dictionaries with text keys as objects, numbers, {@code True}, {@code False}
 * and {@code None}. The names of JSON, {@code true}, {@code false} and {@code null}, are understood
 * too. Sets, complex numbers and comments are not.
 */
final class PythonLiteral {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** As deep as Python itself goes; it also keeps the stack from overflowing. */
  private static final int MAX_DEPTH = 100;

  private static final String SIMPLE_ESCAPES = "\\'\"abfnrtv";
  private static final String SIMPLE_VALUES = "\\'\"\u0007\b\f\n\r\t\u000b";

  private final String text;
  private int at;
  private int depth;

  private PythonLiteral(String text) {
    this.text = text;
  }

  /**
   * @throws IllegalArgumentException if the text is no such literal; the message names the
   *     character, counted from 1
   */
  static JsonNode parse(String text) {
    PythonLiteral parser = new PythonLiteral(text);
    JsonNode value = parser.value();
    if (parser.peek() >= 0) {
      throw parser.expected("the end");
    }
    return value;
  }

  /** The next character that is no space, or -1 at the end. */
  private int peek() {
    while (at < text.length() && " \t\n\r\f".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : -1;
  }

  private JsonNode value() {
    int first = peek();
    if (first == '[' || first == '(' || first == '{') {
      if (++depth > MAX_DEPTH) {
        throw expected("no more than " + MAX_DEPTH + " brackets within each other");
      }
      at++;
      JsonNode value =
          switch (first) {
            case '[' -> list(']');
            case '(' -> tuple();
            default -> dictionary();
          };
      depth--;
      return value;
    }
    if (startsString()) {
      StringBuilder value = new StringBuilder();
      // Strings that follow each other are one.
      do {
        string(value);
        peek();
      } while (startsString());
      return JSON.textNode(value.toString());
    }
    if (first == '-' || first == '+' || first == '.' || first >= '0' && first <= '9') {
      return number();
    }
    return name();
  }

  private ArrayNode list(char end) {
    ArrayNode values = JSON.arrayNode();
    while (peek() != end) {
      values.add(value());
      if (peek() == ',') {
        at++;
      } else if (peek() != end) {
        throw expected("a comma or '" + end + "'");
      }
    }
    at++;
    return values;
  }

  /** A single value in brackets is that value, unless a comma follows it. */
  private JsonNode tuple() {
    ArrayNode values = list(')');
    int last = at - 2;
    while (last >= 0 && Character.isWhitespace(text.charAt(last))) {
      last--;
    }
    return values.size() == 1 && text.charAt(last) != ',' ? values.get(0) : values;
  }

  private ObjectNode dictionary() {
    ObjectNode values = JSON.objectNode();
    while (peek() != '}') {
      int start = at;
      JsonNode key = value();
      if (!key.isTextual()) {
        at = start;
        throw expected("a string as the key");
      }
      if (peek() != ':') {
        throw expected("a colon");
      }
      at++;
      values.set(key.textValue(), value());
      if (peek() == ',') {
        at++;
      } else if (peek() != '}') {
        throw expected("a comma or '}'");
      }
    }
    at++;
    return values;
  }

  private JsonNode number() {
    int start = at;
    while (at < text.length() && "+-._xXoO".indexOf(text.charAt(at)) >= 0
        || at < text.length() && Character.digit(text.charAt(at), 36) >= 0) {
      at++;
    }
    String digits = text.substring(start, at).replace("_", "").toLowerCase(Locale.ROOT);
    boolean negative = digits.startsWith("-");
    String unsigned = digits.replaceFirst("^[+-]", "");
    try {
      for (String radix : new String[] {"0x16", "0o8", "0b2"}) {
        if (unsigned.startsWith(radix.substring(0, 2))) {
          BigInteger value =
              new BigInteger(unsigned.substring(2), Integer.parseInt(radix.substring(2)));
          return JSON.numberNode(negative ? value.negate() : value);
        }
      }
      return unsigned.matches("[0-9]+")
          ? JSON.numberNode(new BigInteger(digits))
          : JSON.numberNode(new BigDecimal(digits));
    } catch (NumberFormatException e) {
      at = start;
      throw expected("a number");
    }
  }

  private JsonNode name() {
    int start = at;
    while (at < text.length() && Character.isLetter(text.charAt(at))) {
      at++;
    }
    return switch (text.substring(start, at)) {
      case "None", "null" -> JSON.nullNode();
      case "True", "true" -> JSON.booleanNode(true);
      case "False", "false" -> JSON.booleanNode(false);
      default -> {
        at = start;
        throw expected("a list, a string, a number, True, False or None");
      }
    };
  }

  private boolean startsString() {
    int quote = at;
    while (quote < text.length() && quote < at + 2 && "rRuU".indexOf(text.charAt(quote)) >= 0) {
      quote++;
    }
    return quote < text.length() && (text.charAt(quote) == '\'' || text.charAt(quote) == '"');
  }

  private void string(StringBuilder value) {
    int start = at;
    boolean raw = false;
    while (text.charAt(at) != '\'' && text.charAt(at) != '"') {
      raw |= text.charAt(at) == 'r' || text.charAt(at) == 'R';
      at++;
    }
    String quote = text.substring(at, at + 1);
    boolean triple = text.startsWith(quote.repeat(3), at);
    String end = triple ? quote.repeat(3) : quote;
    at += end.length();
    while (!text.startsWith(end, at)) {
      if (at == text.length() || !triple && (text.charAt(at) == '\n' || text.charAt(at) == '\r')) {
        at = start;
        throw expected("the string that starts here to end with " + end);
      }
      char c = text.charAt(at++);
      if (c != '\\' || at == text.length()) {
        value.append(c);
      } else if (raw) {
        value.append(c).append(text.charAt(at++));
      } else {
        escape(value);
      }
    }
    at += end.length();
  }

  /** What stands behind a backslash. */
  private void escape(StringBuilder value) {
    char c = text.charAt(at++);
    int simple = SIMPLE_ESCAPES.indexOf(c);
    if (simple >= 0) {
      value.append(SIMPLE_VALUES.charAt(simple));
    } else if (c >= '0' && c <= '7') {
      int code = c - '0';
      for (int i = 0; i < 2 && at < text.length() && isOctal(text.charAt(at)); i++) {
        code = 8 * code + text.charAt(at++) - '0';
      }
      value.append((char) code);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      value.appendCodePoint(hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8));
    } else if (c == 'N') {
      value.appendCodePoint(named());
    } else if (c == '\r' && at < text.length() && text.charAt(at) == '\n') {
      at++; // A line that goes on, with the line end of Windows.
    } else if (c != '\n' && c != '\r') {
      value.append('\\').append(c); // Python keeps what it does not know.
    }
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }

  private int hexadecimal(int digits) {
    long code = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
      if (digit < 0 || text.charAt(at) > 'f') {
        throw expected(digits + " hexadecimal digits of an escape");
      }
      code = 16 * code + digit;
      at++;
    }
    if (code > Character.MAX_CODE_POINT) {
      throw expected("an escape of a character up to 10ffff");
    }
    return (int) code;
  }

  private int named() {
    int end = text.indexOf('}', at);
    try {
      int code = Character.codePointOf(text.substring(at + 1, end));
      at = end + 1;
      return code;
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw expected("the name of a character in {}");
    }
  }

  private IllegalArgumentException expected(String what) {
    String found =
        at >= text.length()
            ? "the end"
            : "'" + text.substring(at, Math.min(text.length(), at + 20)) + "'";
    return new ArgumentException(
        "expected %s at character %d, found %s.".formatted(what, at + 1, found));
  }
}

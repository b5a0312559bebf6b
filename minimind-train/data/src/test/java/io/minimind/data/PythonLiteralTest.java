package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PythonLiteralTest {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** Writes values as Python may, in every way that its grammar has for them. */
  private static final class Writer {
    private final Random random;

    Writer(long seed) {
      random = new Random(seed);
    }

    String write(JsonNode value) {
      String space = List.of("", " ", "\n ", "\t").get(random.nextInt(4));
      StringBuilder text = new StringBuilder(space);
      if (value.isTextual()) {
        int cut = random.nextInt(value.textValue().length() + 1);
        text.append(string(value.textValue().substring(0, cut)));
        if (cut < value.textValue().length()) {
          // Without the space, '' and 'a' would begin with three quotes.
          text.append(' ').append(string(value.textValue().substring(cut)));
        }
      } else if (value.isArray()) {
        boolean tuple = random.nextBoolean();
        text.append(tuple ? '(' : '[');
        for (int i = 0; i < value.size(); i++) {
          text.append(i == 0 ? "" : ",").append(write(value.get(i)));
        }
        boolean comma = value.size() > 0 && (random.nextBoolean() || tuple && value.size() == 1);
        text.append(comma ? " , " : "").append(tuple ? ')' : ']');
      } else if (value.isObject()) {
        text.append('{');
        value
            .properties()
            .forEach(
                field ->
                    text.append(write(JSON.textNode(field.getKey())))
                        .append(':')
                        .append(write(field.getValue()))
                        .append(','));
        text.append('}');
      } else if (value.isNull()) {
        text.append("None");
      } else if (value.isBoolean()) {
        text.append(value.booleanValue() ? "True" : "False");
      } else {
        text.append(value.bigIntegerValue());
      }
      return text.append(space).toString();
    }

    private String string(String value) {
      String quote = List.of("'", "\"", "'''", "\"\"\"").get(random.nextInt(4));
      StringBuilder text = new StringBuilder(List.of("", "u", "U").get(random.nextInt(3)));
      text.append(quote);
      value.codePoints().forEach(c -> text.append(character(c, quote)));
      return text.append(quote).toString();
    }

    private String character(int c, String quote) {
      String plain = Character.toString(c);
      boolean mustEscape =
          c == '\\' || c == quote.charAt(0) || quote.length() == 1 && (c == '\n' || c == '\r');
      if (!mustEscape && random.nextInt(4) > 0) {
        return plain + (random.nextInt(20) == 0 ? "\\\n" : "");
      }
      int simple = "\\'\"\n\r\t\b\f\u0007\u000b".indexOf(c);
      if (simple >= 0 && random.nextBoolean()) {
        return "\\" + "\\'\"nrtbfav".charAt(simple);
      }
      if (c < 0x100 && random.nextBoolean()) {
        return random.nextBoolean() ? "\\x%02x".formatted(c) : octal(c);
      }
      if (c < 0x10000 && random.nextBoolean()) {
        return "\\u%04X".formatted(c);
      }
      String name = Character.getName(c);
      return name != null && name.matches("[A-Z -]+") && random.nextBoolean()
          ? "\\N{" + name + "}"
          : "\\U%08x".formatted(c);
    }

    private static String octal(int c) {
      return "\\" + (char) ('0' + c / 64) + (char) ('0' + c / 8 % 8) + (char) ('0' + c % 8);
    }
  }

  @Property(tries = 2000)
  void readsBackWhatPythonMayWrite(@ForAll long seed) {
    JsonNode value = value(new Random(seed), 4);
    String literal = new Writer(seed).write(value);
    assertEquals(value, PythonLiteral.parse(literal), literal);
  }

  @Property(tries = 500)
  void readsJson(@ForAll long seed) throws Exception {
    JsonNode value = value(new Random(seed), 4);
    assertEquals(value, PythonLiteral.parse(new ObjectMapper().writeValueAsString(value)));
  }

  private static JsonNode value(Random random, int depth) {
    int kind = random.nextInt(depth == 0 ? 5 : 8);
    int size = random.nextInt(4);
    if (kind < 5) {
      return switch (kind) {
        case 0 -> JSON.nullNode();
        case 1 -> JSON.booleanNode(random.nextBoolean());
        case 2 ->
            JSON.numberNode(new BigInteger(random.nextInt(90), random).subtract(BigInteger.TEN));
        default -> JSON.textNode(text(random));
      };
    }
    if (kind == 7) {
      ObjectNode object = JSON.objectNode();
      for (int i = 0; i < size; i++) {
        object.set(text(random), value(random, depth - 1));
      }
      return object;
    }
    ArrayNode array = JSON.arrayNode();
    for (int i = 0; i < size; i++) {
      array.add(value(random, depth - 1));
    }
    return array;
  }

  private static String text(Random random) {
    int[] characters =
        "ab'\"\\\n\r\t\b\f\u0007\u000b nxuU{}[](),0é云港\u2028😀".codePoints().toArray();
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.appendCodePoint(characters[random.nextInt(characters.length)]);
    }
    return text.toString();
  }

  @Property(tries = 2000)
  void garbageIsRefusedWithASentence(@ForAll("garbage") String text) {
    try {
      PythonLiteral.parse(text);
    } catch (IllegalArgumentException e) {
      assertTrue(
          e.getMessage().matches("(?s)expected .* at character \\d+, found .*\\."), e.getMessage());
    }
  }

  @Provide
  Arbitrary<String> garbage() {
    return Arbitraries.strings()
        .withChars("[](){}'\"\\,: \nrufbNxU0179.-_eTrueNone云")
        .ofMaxLength(30);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "r'a\\n\\'b' | \"a\\\\n\\\\'b\"",
        "'a\\qb\\/' | \"a\\\\qb\\\\/\"",
        "'\\0\\18\\777' | \"\\u0000\\u00018\\u01ff\"",
        "'\\ud83d\\ude00' | \"😀\"",
        "('a') | \"a\"",
        "('a',) | [\"a\"]",
        "(('a' , ), ) | [[\"a\"]]",
        "() | []",
        "'a' \"b\" '''c''' | \"abc\"",
        "-0x1F | -31",
        "0o17 | 15",
        "0b101 | 5",
        "1_000 | 1000",
        "+2.5e-1 | 0.25",
        ".5 | 0.5",
      })
  void readsAsPythonDoes(String literal, String json) throws Exception {
    assertEquals(
        new ObjectMapper().readTree(json).toString(), PythonLiteral.parse(literal).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "[",
        "['a'",
        "['a' 1]",
        "['a',,]",
        "[,]",
        "]",
        "'a",
        "'a\nb'",
        "'''a'",
        "'\\x1'",
        "'\\u12g4'",
        "'\\U00110000'",
        "'\\N{NO SUCH}'",
        "'\\N'",
        "b'a'",
        "f'a'",
        "{'a'}",
        "{'a': }",
        "{1: 2}",
        "nan",
        "1a",
        "--1",
        "1 2",
        "['a'] x",
        "__import__('os')",
        "'\\"
      })
  void refusesWhatIsNoLiteral(String text) {
    assertThrows(IllegalArgumentException.class, () -> PythonLiteral.parse(text));
  }

  @Test
  void theErrorNamesThePlace() {
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> PythonLiteral.parse("[['a', 'b'] 'c']"));
    assertEquals("expected a comma or ']' at character 13, found ''c']'.", e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> PythonLiteral.parse("['abc"));
    assertEquals(
        "expected the string that starts here to end with ' at character 2, found ''abc'.",
        e.getMessage());
  }

  @Test
  void bracketsWithinEachOtherDoNotOverflowTheStack() {
    assertThrows(IllegalArgumentException.class, () -> PythonLiteral.parse("[".repeat(1_000_000)));
    int deep = 100;
    JsonNode value = PythonLiteral.parse("[".repeat(deep) + "]".repeat(deep));
    for (int i = 1; i < deep; i++) {
      value = value.get(0);
    }
    assertEquals(JSON.arrayNode(), value);
  }
}

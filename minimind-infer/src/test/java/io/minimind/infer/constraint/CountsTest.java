package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.BitSet;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lengths are counted: whatever the bound, a constraint is made and asked in the same time. */
class CountsTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type': 'string', 'pattern': '[a-zA-Z0-9_.-]+', 'minLength': 3, 'maxLength': 255}",
        "{'type': 'string', 'pattern': '[a-z]+[0-9]+', 'maxLength': 128}",
        "{'type': 'string', 'pattern': '\\\\S', 'maxLength': 100000}",
        "{'type': 'string', 'minLength': 200, 'maxLength': 1000000000}",
        "{'type': 'string', 'pattern': '^(ab|c)*$', 'minLength': 101, 'maxLength': 900000000}",
        "{'type': 'string', 'pattern': '^[a-z]{1,65535}$'}",
        "{'type': 'string', 'pattern': '^[a-z]{1,65535}$', 'maxLength': 4000}",
        "{'type': 'string', 'pattern': '^([a-z]{1,63}\\\\.)*[a-z]{1,63}$', 'maxLength': 253}",
        "{'type': 'string', 'pattern': '^(?:\\\\S+\\\\s+){0,1999}\\\\S+$'}",
        "{'type': 'string', 'pattern': '^((((a?){0,9}){0,9}){0,9}){0,9}$'}",
        "{'type': 'string', 'pattern': '^((((ab?){0,99}c?){0,99}d?){0,99}e?){0,99}$'}",
        "{'type': 'string', 'pattern': '^((a|aa){20,999}b?){3,999}$'}",
        "{'type': 'string', 'pattern': '^(x{1,1000}){1,1000}$'}",
        "{'type': 'string', 'format': 'uri', 'minLength': 20, 'maxLength': 2048}",
        "{'type': 'string', 'format': 'email', 'maxLength': 254}",
        "{'type': 'array', 'items': {'type': 'string', 'maxLength': 9}, 'maxItems': 1000000000}",
        "{'type': 'array', 'items': {'enum': [1, 2]}, 'minItems': 70, 'maxItems': 100000}",
        "{'type': 'object', 'maxProperties': 1000000}",
      })
  void aBoundIsNoCost(String schema) {
    assertTimeoutPreemptively(
        LONG,
        () -> {
          JsonNode json = Structured.JSON.readTree(schema.replace('\'', '"'));
          TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(json);
          SplittableRandom random = new SplittableRandom(1);
          for (int i = 0; i < 4; i++) {
            Structured.assertValid(
                Structured.judge(json), Structured.draw(constraint, 600, random));
          }
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "a{30,40} | a | 30 | 40",
        "(((a?){0,5}){0,5}){0,5} | a | 0 | 125",
        "((a{2}){3,4}){5} | aa | 15 | 20",
        "(a|aa){30,40} | a | 30 | 80",
        "((ab?){0,30}c){0,2}a | ab | 0 | 0",
        "(ab?){25,60} | ab | 25 | 60",
        "(a{1,40}b){0,1}a{30,50} | a | 30 | 50",
        "(?=.{33}$)a* | a | 33 | 33",
        "((a?b?){0,30}){0,3} | ab | 0 | 90",
      })
  void exactlyTheCountsAreAllowed(String pattern, String unit, int least, int most) {
    TokenConstraint constraint = Structured.CONSTRAINTS.regex(pattern);
    for (int count = 0; count <= most + 3; count++) {
      boolean allowed = least <= count && count <= most;
      String text = unit.repeat(count) + (pattern.endsWith("c){0,2}a") ? "a" : "");
      assertEquals(allowed, Structured.accepts(constraint, text), text);
    }
  }

  @Property(tries = 100)
  void aLengthBesideAPatternIsExact(
      @ForAll @IntRange(max = 60) int least,
      @ForAll @IntRange(max = 60) int more,
      @ForAll @IntRange(max = 4) int kind) {
    String[] patterns = {"^[a-z]+$", "^(ab)*$", "b", "^(abc|de){2,9}$", "^(?!a{3}).*$"};
    ObjectNode schema = Structured.JSON.createObjectNode().put("type", "string");
    schema.put("pattern", patterns[kind]).put("minLength", least).put("maxLength", least + more);
    TokenConstraint constraint;
    try {
      constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    } catch (IllegalArgumentException e) {
      assertTrue(e.getMessage().startsWith("No text meets the constraint"), e.getMessage());
      constraint = Structured.CONSTRAINTS.choices("1"); // which is none of the texts
    }
    java.util.regex.Pattern judge = java.util.regex.Pattern.compile(patterns[kind]);
    for (String unit : new String[] {"ab", "abc", "de", "b"}) {
      for (int length = Math.max(0, least - 2); length <= least + more + 2; length++) {
        String text = unit.repeat(length).substring(0, length);
        boolean valid = judge.matcher(text).find() && least <= length && length <= least + more;
        assertEquals(valid, Structured.accepts(constraint, "\"" + text + "\""), text);
      }
    }
  }

  @Test
  void hundredsOfOptionalPropertiesAreWritten() {
    assertTimeoutPreemptively(
        LONG,
        () -> {
          ObjectNode schema = Structured.JSON.createObjectNode().put("type", "object");
          ObjectNode properties = schema.putObject("properties");
          for (int i = 0; i < 700; i++) {
            properties.putObject("property" + i).put("type", "boolean");
          }
          schema.put("additionalProperties", true);
          TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
          Structured.assertValid(
              Structured.judge(schema), Structured.draw(constraint, 400, new SplittableRandom(1)));
          assertTrue(Structured.accepts(constraint, "{\"property3\":true,\"property699\":false}"));
        });
  }

  @Test
  void hundredsOfObjectsWithAHundredPropertiesEachAreWritten() {
    assertTimeoutPreemptively(
        LONG,
        () -> {
          ObjectNode schema = Structured.JSON.createObjectNode().put("type", "object");
          ObjectNode properties = schema.putObject("properties");
          for (int i = 0; i < 300; i++) {
            ObjectNode inner = properties.putObject("object" + i).put("type", "object");
            ObjectNode below = inner.putObject("properties");
            for (int j = 0; j < 100; j++) {
              below.putObject("property" + i + "of" + j).put("type", "string").put("maxLength", j);
            }
          }
          TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
          assertTrue(Structured.accepts(constraint, "{\"object7\":{\"property7of99\":\"abc\"}}"));
          Structured.assertValid(
              Structured.judge(schema), Structured.draw(constraint, 300, new SplittableRandom(1)));
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {150, 900})
  void deepSchemasAreTaken(int depth) {
    JsonNode schema = Structured.JSON.createObjectNode().put("type", "null");
    for (int i = 0; i < depth; i++) {
      ObjectNode outer = Structured.JSON.createObjectNode().put("type", "array");
      outer.set("items", schema);
      schema = outer;
    }
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    assertTrue(Structured.accepts(constraint, "[".repeat(100) + "]".repeat(100)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"allOf", "prefixItems", "anyOf"})
  void schemasWithoutEndAreRefused(String keyword) {
    ObjectNode schema = Structured.JSON.createObjectNode().put("type", "null");
    for (int i = 0; i < 50_000; i++) {
      ObjectNode outer = Structured.JSON.createObjectNode();
      outer.putArray(keyword).add(schema);
      schema = outer;
    }
    ObjectNode deep = schema;
    String message =
        org.junit.jupiter.api.Assertions.assertThrows(
                IllegalArgumentException.class, () -> Structured.CONSTRAINTS.jsonSchema(deep))
            .getMessage();
    assertTrue(message.endsWith("is nested too deeply."), message);
  }

  @Test
  void deepTextsEndInASentence() {
    TokenConstraint constraint = Structured.CONSTRAINTS.json();
    assertFalse(Structured.accepts(constraint, "[".repeat(1000)));
    TokenConstraint.State state = constraint.start(100_000);
    BitSet allowed = new BitSet();
    for (int id : Structured.TOKENIZER.encode("{\"a\":".repeat(1500))) {
      state.advance(id); // as forced tokens do
    }
    state.allow(allowed);
    assertFalse(allowed.isEmpty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type': 'integer', 'minimum': %s}",
        "{'type': 'integer', 'multipleOf': %s}",
        "{'type': 'number', 'maximum': -%s}",
        "{'type': 'number', 'minimum': 0.%s}",
        "{'type': 'number', 'multipleOf': 0.%s}",
        "{'type': 'array', 'minItems': %s}",
      })
  void numbersOfAThousandDigitsAreRefusedInASentence(String schema) {
    String digits = "123456789".repeat(110);
    String message =
        org.junit.jupiter.api.Assertions.assertThrows(
                IllegalArgumentException.class,
                () ->
                    Structured.CONSTRAINTS.jsonSchema(schema.formatted(digits).replace('\'', '"')))
            .getMessage();
    assertTrue(message.startsWith("The schema at #") && message.length() < 300, message);
  }

  @Test
  void listedNumbersOfAThousandDigitsAreWritten() {
    String digits = "123456789".repeat(110);
    for (String number : new String[] {digits, "-0." + digits, "1e999999999"}) {
      TokenConstraint constraint =
          Structured.CONSTRAINTS.jsonSchema("{\"enum\": [" + number + ", 1]}");
      assertTrue(Structured.accepts(constraint, "1"), number);
      SplittableRandom random = new SplittableRandom(3);
      assertTrue(
          java.util.stream.IntStream.range(0, 20)
              .anyMatch(i -> !Structured.draw(constraint, 2000, random).equals("1")));
    }
  }
}

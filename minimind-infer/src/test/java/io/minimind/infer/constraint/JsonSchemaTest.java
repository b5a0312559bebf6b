package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class JsonSchemaTest {
  private static final int TEXTS = 1000;

  static Stream<String> schemas() throws IOException {
    return Structured.schemas().keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void allTextsParseAndAreValid(String name) throws IOException {
    JsonNode schema = Structured.schemas().get(name);
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    JsonSchema judge = Structured.judge(schema);
    int least = Structured.least(constraint);
    SplittableRandom random = new SplittableRandom(1);
    Set<String> texts = new HashSet<>();
    for (int i = 0; i < TEXTS; i++) {
      String text = Structured.draw(constraint, least + random.nextInt(200), random);
      Structured.assertValid(judge, text);
      texts.add(text);
    }
    assertTrue(texts.size() > TEXTS / 2 || name.equals("enums"), "only " + texts.size());
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void everyBudgetFromTheLeastSufficesAndLessIsRefused(String name) throws IOException {
    JsonNode schema = Structured.schemas().get(name);
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    JsonSchema judge = Structured.judge(schema);
    int least = Structured.least(constraint);
    SplittableRandom random = new SplittableRandom(2);
    for (int budget = least; budget < least + 40; budget++) {
      Structured.assertValid(judge, Structured.draw(constraint, budget, random));
    }
    assertEquals(
        "The constraint needs up to %d tokens for its shortest text, but the answer may have only %d; raise maxNewTokens, shorten the prompt or ask for less."
            .formatted(least, least - 1),
        Structured.refusal(constraint, least - 1));
  }

  @Property(tries = 300)
  void textsOfRandomSchemasAreValid(@ForAll long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    JsonNode schema = RandomSchema.of(random);
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    JsonSchema judge = Structured.judge(schema);
    int least = Structured.least(constraint);
    for (int i = 0; i < 5; i++) {
      Structured.assertValid(judge, Structured.draw(constraint, least + 20 * i, random));
    }
  }

  @Property(tries = 200)
  void integersAreThoseBetweenTheBounds(
      @ForAll @IntRange(min = -1500, max = 1500) int one,
      @ForAll @IntRange(min = -1500, max = 1500) int other) {
    int low = Math.min(one, other);
    int high = Math.max(one, other);
    TokenConstraint constraint =
        Structured.CONSTRAINTS.jsonSchema(
            "{\"type\": \"integer\", \"minimum\": %d, \"exclusiveMaximum\": %d}"
                .formatted(low, high + 1));
    for (int value :
        new int[] {low - 1, low, low + 1, high - 1, high, high + 1, 0, -1, 10 * low, high / 10}) {
      assertEquals(
          low <= value && value <= high,
          Structured.accepts(constraint, String.valueOf(value)),
          value + " in " + low + " to " + high);
    }
  }

  @Property(tries = 200)
  void decimalsAreThoseBetweenTheBounds(
      @ForAll @IntRange(min = -3000, max = 3000) int one,
      @ForAll @IntRange(min = -3000, max = 3000) int other,
      @ForAll @IntRange(min = -3100, max = 3100) int value) {
    int low = Math.min(one, other);
    int high = Math.max(one, other) + 1;
    TokenConstraint constraint =
        Structured.CONSTRAINTS.jsonSchema(
            "{\"type\": \"number\", \"minimum\": %se-2, \"exclusiveMaximum\": %se-2}"
                .formatted(low, high));
    for (int hundredths : new int[] {low - 1, low, high - 1, high, value}) {
      assertEquals(
          low <= hundredths && hundredths < high,
          Structured.accepts(
              constraint, java.math.BigDecimal.valueOf(hundredths, 2).toPlainString()),
          hundredths + " in " + low + " to " + high);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'properties': {'a': {}, 'b': {'type': 'null'}}} | {'a': [1, {'x':{}}],'b':null} | true",
        "{'properties': {'a': {}, 'b': {'type': 'null'}}} | {'b': null} | true",
        "{'properties': {'a': {}, 'b': {'type': 'null'}}} | {} | true",
        "{'properties': {'a': {}, 'b': {'type': 'null'}}} | {'b':null,'a':1} | false",
        "{'properties': {'a': {}}} | {'c':1} | false",
        "{'type': 'object', 'required': ['a']} | {'a':false} | true",
        "{'type': 'object', 'required': ['a']} | {} | false",
        "{'properties': {'ab': {'type': 'null'}}, 'additionalProperties': {'type': 'integer'}} |"
            + " {'a':1, 'abc':2,'':3} | true",
        "{'properties': {'ab': {'type': 'null'}}, 'additionalProperties': {'type': 'integer'}} |"
            + " {'ab':2} | false",
        "{'type': 'object'} | {'x':[],'y':-0.5e3} | true",
        "{'type': 'string', 'nullable': true} | null | true",
        "{'type': 'string'} | null | false",
        "{'type': 'string', 'minLength': 2, 'maxLength': 2} | '😀蓝' | true",
        "{'type': 'string', 'minLength': 3} | '😀蓝' | false",
        "{'type': 'string', 'pattern': 'b+', 'maxLength': 4} | 'abba' | true",
        "{'type': 'string', 'pattern': 'b+', 'maxLength': 3} | 'abba' | false",
        "{'type': 'string', 'pattern': 'b+'} | 'xyz' | false",
        "{'type': 'array', 'prefixItems': [{'type': 'null'}, {'type': 'boolean'}]} | [null] | true",
        "{'type': 'array', 'prefixItems': [{'type': 'null'}, {'type': 'boolean'}]} | [null, true] |"
            + " true",
        "{'type': 'array', 'prefixItems': [{'type': 'null'}, {'type': 'boolean'}]} | [true] |"
            + " false",
        "{'type': 'array', 'prefixItems': [{'type': 'null'}], 'minItems': 2} | [null] | false",
        "{'type': 'array', 'prefixItems': [{'type': 'null'}], 'minItems': 2} | [null,'x'] | true",
        "{'type': ['integer', 'boolean']} | 12 | true",
        "{'type': ['integer', 'boolean']} | 1.5 | false",
        "{'type': 'integer'} | 01 | false",
        "{'enum': ['one', 'two', [1, {'x': null}]]} | [1,{'x':null}] | true",
        "{'anyOf': [{'minimum': 3}, {'type': 'string'}], 'type': ['integer', 'string']} | 2 |"
            + " false",
        "{'anyOf': [{'minimum': 3}, {'type': 'string'}], 'type': ['integer', 'string']} | 3 | true",
        "{'type': 'string', 'format': 'date'} | '2024-04-31' | false",
        "{'type': 'string', 'format': 'date'} | '2024-04-30' | true",
        "true | [{'a': {}}, null, false] | true",
      })
  void textsAreToldApart(String schema, String text, boolean valid) {
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema.replace('\'', '"'));
    assertEquals(valid, Structured.accepts(constraint, text.replace('\'', '"')));
  }

  @Test
  void halfAnAnswerMayNotEnd() {
    TokenConstraint constraint = Structured.CONSTRAINTS.json();
    assertFalse(Structured.accepts(constraint, "{\"a\":"));
    assertFalse(Structured.accepts(constraint, "\"蓝"));
    assertTrue(Structured.accepts(constraint, "\"蓝\""));
  }

  @Test
  void nothingIsNestedDeeperThanParsersBear() {
    TokenConstraint constraint = Structured.CONSTRAINTS.json();
    assertTrue(Structured.accepts(constraint, "[".repeat(300) + "]".repeat(300)));
    assertFalse(Structured.accepts(constraint, "[".repeat(900) + "]".repeat(900)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'properties': {'a/b': {'unevaluatedItems': false}}} | #/properties/a~1b/unevaluatedItems"
            + " uses unevaluatedItems, which is not supported",
        "{'items': {'type': 'text'}} | #/items/type names the type \"text\"",
        "{'$ref': '#/$defs/none'} | #/$ref refers to \"#/$defs/none\", which is not there",
        "{'$ref': 'https://example.org/schema'} | #/$ref refers to \"https://example.org/schema\","
            + " which is not there",
        "{'allOf': [{'$ref': '#'}]} | # leads back to itself",
        "{'type': 'string', 'pattern': '(?<=a)b'} | #/pattern: The pattern \"(?<=a)b\" has, at"
            + " position 2, a group of a kind",
        "{'type': 'string', 'pattern': '(a)\\\\1'} | #/pattern: The pattern \"(a)\\1\" has, at"
            + " position 3, \\1",
        "{'type': 'string', 'minLength': 3, 'maxLength': 2} | # allows nothing",
        "{'type': 'integer', 'minimum': 3, 'maximum': 2} | # allows nothing",
        "{'type': 'number', 'minimum': 0.1234567890123456} | # has bounds of more than 15 digits",
        "{'type': 'integer', 'minimum': 1e999999999} | # has bounds of more than 100 digits",
        "{'type': 'integer', 'minimum': 1e2147483647} | # has bounds of more than 100 digits",
        "{'type': 'number', 'minimum': 1e-2147483647} | # has bounds of more than 15 digits",
        "{'enum': [3, 4], 'multipleOf': 1e999999999} | # allows nothing",
        "{'type': 'integer', 'multipleOf': 1e999999999} | # has a multipleOf with too many digits",
        "{'type': 'array', 'minItems': 1e999999999} | #/minItems is 1E+999999999, which no text",
        "{'type': 'array', 'uniqueItems': true} | # wants unique items, of which not all are"
            + " listed",
        "{'enum': ['a'], 'type': 'integer'} | # allows nothing",
        "{'type': 'array', 'minItems': -1} | #/minItems is -1 but must be a whole number",
        "{'properties': {'a': false}, 'required': ['a'], 'type': 'object'} | # allows nothing",
        "{'required': ['a'], 'additionalProperties': false, 'type': 'object'} | # allows nothing",
        "{'properties': {'b': {'type': 'string', 'enum': [1]}}, 'required': ['b'], 'type':"
            + " 'object'} | #/properties/b allows nothing",
        "{'properties': {'a': {'$ref': '#'}}, 'required': ['a']} | contains itself without end",
        "false | # allows nothing",
        "{'type': 'string' | is not valid JSON at line 1, column",
      })
  void whatIsNotSupportedIsNamedWithItsPlace(String schema, String message) {
    String found =
        assertThrows(
                IllegalArgumentException.class,
                () -> Structured.CONSTRAINTS.jsonSchema(schema.replace('\'', '"')))
            .getMessage();
    assertTrue(found.contains(message), found);
    assertTrue(found.endsWith("."), found);
  }
}

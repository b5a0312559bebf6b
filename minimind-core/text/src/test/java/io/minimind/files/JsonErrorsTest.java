package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonErrorsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{ | it ends in the middle",
        "{\"a\": [1, 2 | it ends in the middle",
        "{\"a\": x} | x is no value in JSON",
        "{\"a\": NaN} | NaN is no value in JSON",
        "{\"a\": \"\u0001\"} | it has a control character (code 1) that is not escaped",
        "[1} | there is '}' where ']' should stand",
        "{\"a\" 1} | there is '1' where a colon should stand after a name",
        "{\"a\": 1 \"b\": 2} | there is '\"' where a comma or the end of the object should stand",
        "[1 2] | there is '2' where a comma or the end of the list should stand",
        "{a: 1} | there is 'a' where a name in double quotes should begin",
        "{“a”: 1} | there is '“' where a name in double quotes should begin",
        "{\"a\": , 2} | there is ',' where a value should stand",
        "{\"a\": 'b'} | there is ''' where a value should stand",
        "{\"a\": /* b */ 1} | there is '/' where a value should stand",
        "{\"a\": 1.} | there is '}' in a number, where a digit should stand",
        "1x | there is 'x' right behind a value",
        "{\"a\": 01} | a number begins with a zero",
        "{\"a\": \"\\x\"} | there is '\\x', which is no character in JSON",
        "{\"a\": \"\\u00g0\"} | there is 'g' in a character's code, where a hexadecimal digit"
            + " should stand",
        "\uFEFF{} | there is a byte order mark, which only files begin with",
      })
  void whatIsWrongIsSaidInTheWordsOfThePerson(String json, String reason) {
    JsonProcessingException e =
        assertThrows(JsonProcessingException.class, () -> new ObjectMapper().readTree(json));
    assertEquals(reason, JsonErrors.reason(e));
  }
}

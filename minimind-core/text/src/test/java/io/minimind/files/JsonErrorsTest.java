package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
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
        "{\"a\": /* b */ 1} | there is '/' where a comment seems to begin, which JSON does not"
            + " have",
        "{} // b | there is '/' where a comment seems to begin, which JSON does not have",
        "{\"a\": 😀} | there is a symbol where a value should stand",
        "{\"a\": 1.} | there is '}' in a number, where a digit should stand",
        "1x | there is 'x' right behind a value",
        "{\"a\": 01} | a number begins with a zero",
        "{\"a\": \"\\x\"} | there is '\\x', which is no character in JSON",
        "{\"a\": \"\\u00g0\"} | there is 'g' in a character's code, where a hexadecimal digit"
            + " should stand",
        "\uFEFF{} | there is a byte order mark, which only files begin with",
      })
  void whatIsWrongIsSaidInTheWordsOfThePerson(String json, String reason) {
    assertSays(reason, () -> StrictJson.mapper().readTree(json));
  }

  private static void assertSays(String reason, Executable reading) {
    JsonProcessingException e = assertThrows(JsonProcessingException.class, reading);
    assertEquals(reason, JsonErrors.reason(e));
  }

  @Test
  void whatIsTooMuchIsSaidWithItsLimit() {
    ObjectMapper mapper = StrictJson.mapper();
    assertSays("it is nested more than 1000 deep", () -> mapper.readTree("[".repeat(2000)));
    assertSays(
        "a text, name or number has more than 1000 characters",
        () -> mapper.readTree("1".repeat(2000)));
    assertSays("a".repeat(40) + "… is no value in JSON", () -> mapper.readTree("a".repeat(70)));
    assertSays(
        "the number 99999999999 is too large", () -> mapper.readValue("99999999999", int.class));
  }

  @ParameterizedTest
  @CsvSource({"255, byte 0xff", "195, a character is cut"})
  void bytesThatAreNotUtf8AreNamed(int wrong, String what) {
    byte[] json = "{\"a\": \"b\"}".getBytes(StandardCharsets.UTF_8);
    json[7] = (byte) wrong;
    assertSays("it is not UTF-8 (" + what + ")", () -> StrictJson.mapper().readTree(json));
  }

  record Setting(int size, String name) {}

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"size\": 1, \"name\": \"a\", \"b\": 2} | \"b\" is not known",
        "{\"size\": \"many\", \"name\": \"a\"} | a value of another kind was expected",
        "{\"size\": [1], \"name\": \"a\"} | a value of another kind was expected",
        "[] | a value of another kind was expected",
        "`` | it is empty",
      })
  void whatIsNotTheSettingsThatAreExpectedIsSaid(String json, String reason) {
    assertSays(reason, () -> StrictJson.mapper().readValue(json, Setting.class));
  }
}

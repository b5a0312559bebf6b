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
        "[1} | Unexpected close marker '}': expected ']'",
        "{\"a\" 1} | Unexpected character ('1' (code 49)): was expecting a colon to separate field"
            + " name and value",
      })
  void whatIsWrongIsSaidInTheWordsOfThePerson(String json, String reason) {
    JsonProcessingException e =
        assertThrows(JsonProcessingException.class, () -> new ObjectMapper().readTree(json));
    assertEquals(reason, JsonErrors.reason(e));
  }
}

package io.minimind.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Jackson's mapper, which takes longer to start, is the judge. */
class JsonTreeTest {
  private static final String TEXT =
      "{\"a\": [1, -0, 2147483648, 123456789012345678901234567890, 1.5, 1e400, -2.5E-3],"
          + " \"b\": {\"é\\u4e2d\\n\": null, \"\": [[], {}, true, false]}, \"a \": \"x\"} ";

  @ParameterizedTest
  @ValueSource(
      strings = {
        TEXT,
        "",
        " \n",
        "3",
        "null",
        "[1] 2",
        "{} x",
        "{\"a\": 1, \"b\": 2, \"a\": 3}",
        "{\"a\": {\"b\": [1, 2}",
        "[1,",
        "NaN",
        "\uFEFF{}",
      })
  void readsWhatAMapperReadsAndRefusesWhatItRefuses(String json) throws IOException {
    compare(json.getBytes(UTF_8));
  }

  @Test
  void damagedTextIsReadOrRefusedAsByAMapper() throws IOException {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] json = TEXT.getBytes(UTF_8);
      for (int change = random.nextInt(3); change >= 0; change--) {
        json[random.nextInt(json.length)] = json[random.nextInt(json.length)];
      }
      compare(json);
    }
  }

  @Test
  void whatIsNestedTooDeeplyIsRefused() throws IOException {
    compare(("[".repeat(1000) + "]".repeat(1000)).getBytes(UTF_8));
    compare(("[".repeat(100_000) + "]".repeat(100_000)).getBytes(UTF_8));
  }

  @Test
  void theFirstValueIsReadWhateverFollows() throws IOException {
    String json = "{\"a\": 1, \"b\": 2, \"a\": 3} x";
    assertEquals(
        new ObjectMapper().readTree(json).toString(),
        JsonTree.readFirst(json.getBytes(UTF_8)).toString());
  }

  private static void compare(byte[] json) throws IOException {
    JsonNode expected;
    try {
      expected = StrictJson.mapper().readTree(json);
    } catch (JsonProcessingException e) {
      JsonProcessingException refusal =
          assertThrows(JsonProcessingException.class, () -> JsonTree.read(json));
      assertEquals(
          JsonErrors.reason(e) + JsonErrors.place(e),
          JsonErrors.reason(refusal) + JsonErrors.place(refusal));
      return;
    } catch (IOException e) {
      assertEquals(
          e.getMessage(), assertThrows(e.getClass(), () -> JsonTree.read(json)).getMessage());
      return;
    }
    assertEquals(expected, JsonTree.read(json));
  }
}

package io.minimind.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.JsonErrors;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** JSON of requests and answers. */
final class Json {
  /** Deeper than any schema that people write, and shallow enough for every stack. */
  private static final int DEEPEST = 200;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /**
   * @throws ApiError if it is no JSON object
   */
  static ObjectNode read(byte[] body) {
    JsonNode root;
    try {
      root = MAPPER.readTree(body);
    } catch (JsonProcessingException e) {
      String reason = JsonErrors.reason(e).split("\n", 2)[0];
      throw ApiError.invalid(
          "The body is not valid JSON%s: %s."
              .formatted(
                  JsonErrors.place(e),
                  reason.length() > 200 ? reason.substring(0, 200) + "…" : reason));
    } catch (IOException e) {
      throw ApiError.invalid("The body is not valid JSON: it is not UTF-8.");
    }
    if (root instanceof ObjectNode object) {
      return object;
    }
    throw ApiError.invalid("The body must be a JSON object.");
  }

  static byte[] write(JsonNode node) {
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("An answer cannot be written as JSON.", e);
    }
  }

  /** As maps, lists, strings, numbers, booleans and null. */
  @SuppressWarnings("unchecked") // Jackson makes such maps of objects.
  static Map<String, Object> map(JsonNode object) {
    return MAPPER.convertValue(object, LinkedHashMap.class);
  }
}

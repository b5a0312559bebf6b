package io.minimind.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The calls that a model wrote into a text: JSON between {@code <tool_call>} and its end. */
final class ToolCalls {

  private static final Pattern CALL =
      Pattern.compile("<tool_call>(.*?)</tool_call>", Pattern.DOTALL);

  /** As Python reads JSON, not-a-number included. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private ToolCalls() {}

  /** Those that are JSON, in their order; the others are passed over. */
  static List<JsonNode> in(String text) {
    List<JsonNode> calls = new ArrayList<>();
    Matcher found = CALL.matcher(text);
    while (found.find()) {
      json(PythonText.strip(found.group(1))).ifPresent(calls::add);
    }
    return calls;
  }

  /** The tool that a call names, or an empty name. */
  static String name(JsonNode call) {
    return call.path("name").isTextual() ? call.path("name").asText() : "";
  }

  /** The arguments of a call: an object, or a text that holds one; none if they are neither. */
  static JsonNode arguments(JsonNode call) {
    JsonNode given = call.path("arguments");
    if (given.isMissingNode()) {
      return JsonNodeFactory.instance.objectNode();
    }
    return given.isTextual()
        ? json(given.asText()).orElseGet(JsonNodeFactory.instance::objectNode)
        : given;
  }

  private static Optional<JsonNode> json(String text) {
    try {
      return Optional.of(JSON.readTree(text)).filter(node -> !node.isMissingNode());
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }
}

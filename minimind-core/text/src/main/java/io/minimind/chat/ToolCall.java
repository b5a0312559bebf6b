package io.minimind.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.minimind.files.ArgumentException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A call that the assistant makes of a tool.
 *
 * @param id tells this call from others in the conversation
 * @param name of the tool
 * @param arguments a JSON object; if a model wrote it without a constraint it may be something else
 */
public record ToolCall(String id, String name, String arguments) {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  public ToolCall {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(arguments, "arguments");
  }

  /** What templates read: the arguments as a map, or as they are if they are no JSON object. */
  Map<String, Object> variables() {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", name);
    function.put("arguments", parsed());
    Map<String, Object> call = new LinkedHashMap<>();
    call.put("id", id);
    call.put("type", "function");
    call.put("function", function);
    return call;
  }

  private Object parsed() {
    try {
      return JSON.readValue(arguments, new TypeReference<LinkedHashMap<String, Object>>() {});
    } catch (JsonProcessingException e) {
      return arguments;
    }
  }

  /** The call that such variables describe, if they do. */
  static Optional<ToolCall> of(Object variables) {
    if (variables instanceof Map<?, ?> call
        && call.get("function") instanceof Map<?, ?> function
        && function.get("name") instanceof String name) {
      String id = call.get("id") instanceof String given ? given : "";
      return Optional.of(new ToolCall(id, name, text(function.get("arguments"))));
    }
    return Optional.empty();
  }

  private static String text(Object arguments) {
    try {
      return arguments instanceof String text ? text : JSON.writeValueAsString(arguments);
    } catch (JsonProcessingException e) {
      throw new ArgumentException("The arguments of a tool call are no JSON.", e);
    }
  }
}

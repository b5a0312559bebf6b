package io.minimind.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.ArgumentException;
import io.minimind.files.JsonErrors;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A function that the assistant may ask for.
 *
 * @param name as the assistant calls it
 * @param description what it is good for, in words
 * @param parameters a JSON schema of the object that holds its arguments
 */
public record Tool(String name, String description, Map<String, Object> parameters) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public Tool {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(description, "description");
    // Not Map.copyOf, which takes no null and keeps no order.
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /**
   * @param parameters a JSON schema of the object that holds the arguments
   * @throws IllegalArgumentException if that is no JSON object
   */
  public static Tool of(String name, String description, String parameters) {
    try {
      return new Tool(
          name,
          description,
          JSON.readValue(parameters, new TypeReference<LinkedHashMap<String, Object>>() {}));
    } catch (JsonProcessingException e) {
      throw new ArgumentException(
          "The parameters of the tool %s are no JSON object%s: %s."
              .formatted(name, JsonErrors.place(e), JsonErrors.reason(e)),
          e);
    }
  }

  /** What templates read. */
  public Map<String, Object> variables() {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", name);
    function.put("description", description);
    function.put("parameters", parameters);
    Map<String, Object> tool = new LinkedHashMap<>();
    tool.put("type", "function");
    tool.put("function", function);
    return tool;
  }
}

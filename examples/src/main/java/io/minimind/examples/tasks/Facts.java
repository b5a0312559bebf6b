package io.minimind.examples.tasks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.agent.PythonJson;
import java.util.Map;

/** What of a tool's result is asked for. */
final class Facts {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, String> FIELDS =
      Map.of(
          "calculate_math", "result",
          "unit_converter", "result",
          "get_current_weather", "temperature",
          "get_current_time", "datetime",
          "get_exchange_rate", "rate",
          "translate_text", "translated_text");

  private Facts() {}

  /** As it stands in the result; of a date and time, hours and minutes. */
  static String in(String tool, String result) {
    try {
      JsonNode value = JSON.readTree(result).required(FIELDS.get(tool));
      String text = PythonJson.text(value);
      return tool.equals("get_current_time") ? text.substring(11, 16) : text;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The mock tool " + tool + " gives no JSON.", e);
    }
  }
}

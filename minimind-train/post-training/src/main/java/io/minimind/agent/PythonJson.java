package io.minimind.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.template.Template;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Values as Python writes them, which is how the tools of the original answer. Chat templates have
 * to write them so, and do it here too.
 */
public final class PythonJson {

  private static final String VALUE = "value";
  private static final Template JSON = Template.parse("{{ value | tojson }}");
  private static final Template TEXT = Template.parse("{{ value }}");

  private PythonJson() {}

  /**
   * As {@code json.dumps} without ASCII escapes.
   *
   * @param value what JSON can hold, also as a {@link JsonNode}
   */
  public static String dumps(Object value) {
    return JSON.render(variable(value));
  }

  /** As {@code str}. */
  public static String text(Object value) {
    return TEXT.render(variable(value));
  }

  private static Map<String, Object> variable(Object value) {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put(VALUE, value instanceof JsonNode json ? plain(json) : value);
    return variables;
  }

  /** Maps, lists, texts, numbers and so on. */
  static Object plain(JsonNode json) {
    if (json.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      json.properties().forEach(field -> map.put(field.getKey(), plain(field.getValue())));
      return map;
    }
    if (json.isArray()) {
      List<Object> list = new ArrayList<>();
      json.forEach(element -> list.add(plain(element)));
      return list;
    }
    if (json.isNumber()) {
      return json.isIntegralNumber() && !json.isBigInteger()
          ? (Object) json.longValue()
          : json.numberValue();
    }
    return json.isBoolean() ? (Object) json.booleanValue() : json.textValue();
  }
}

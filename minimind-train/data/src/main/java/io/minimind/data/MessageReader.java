package io.minimind.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import io.minimind.files.StrictJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads messages in the layouts that circulate: {@code role} and {@code content} (OpenAI, MiniMind)
 * or {@code from} and {@code value} (ShareGPT), with thoughts, calls of tools and what these gave
 * back.
 */
final class MessageReader {

  private static final String ASSISTANT = "assistant";
  private static final String SYSTEM = "system";
  private static final String TOOL_CALLS = "tool_calls";
  private static final String ARGUMENTS = "arguments";

  private static final Map<String, String> ROLES =
      Map.ofEntries(
          Map.entry("system", SYSTEM),
          Map.entry("developer", SYSTEM),
          Map.entry("user", "user"),
          Map.entry("human", "user"),
          Map.entry("assistant", ASSISTANT),
          Map.entry("gpt", ASSISTANT),
          Map.entry("model", ASSISTANT),
          Map.entry("tool", "tool"),
          Map.entry("function", "tool"),
          Map.entry("observation", "tool"),
          Map.entry("tool_response", "tool"));

  /** Roles whose text is a call of a tool, or a list of calls, as JSON. */
  private static final List<String> CALLS = List.of("function_call", "tool_call");

  private static final List<String> REASONING =
      List.of("reasoning_content", "reasoning", "thinking");

  /** What templates may read of a tool's message. */
  private static final List<String> OF_TOOLS = List.of("name", "tool_call_id");

  private static final ObjectMapper JSON = StrictJson.mapper();

  private MessageReader() {}

  /**
   * Messages of a list.
   *
   * @param name of a message, with which errors begin; its number follows
   * @throws IllegalArgumentException if one is none; the message says about the row what is wrong
   */
  static List<Message> messages(JsonNode list, String name) {
    List<Message> messages = new ArrayList<>();
    boolean calling = false;
    int number = 0;
    for (JsonNode one : list) {
      number++;
      Message message = message(one, name + " " + number);
      boolean calls = CALLS.contains(from(one));
      if (calls && calling) {
        // Calls that are made together belong to one message.
        Message last = messages.remove(messages.size() - 1);
        List<Object> all = new ArrayList<>((List<?>) last.fields().get(TOOL_CALLS));
        all.addAll((List<?>) message.fields().get(TOOL_CALLS));
        message = last.with(TOOL_CALLS, all);
      }
      messages.add(message);
      calling = calls;
    }
    return messages;
  }

  private static String from(JsonNode message) {
    return message.path(message.has("from") ? "from" : "role").asText();
  }

  /**
   * A message.
   *
   * @param name of the message, with which errors begin
   * @throws IllegalArgumentException if its role is unknown or its content no text
   */
  static Message message(JsonNode message, String name) {
    String from = from(message);
    JsonNode content = message.path(message.has("from") ? "value" : "content");
    if (CALLS.contains(from)) {
      return Message.assistant("").with(TOOL_CALLS, calls(content, name));
    }
    String role = ROLES.get(from);
    if (role == null) {
      throw new ArgumentException(
          "%s is from \"%s\": expected system, user, assistant or tool.".formatted(name, from));
    }
    JsonNode calls =
        message.has(TOOL_CALLS) ? message.get(TOOL_CALLS) : message.path("function_call");
    boolean calling = role.equals(ASSISTANT) && isGiven(calls);
    // Only what has something else to say may say nothing.
    boolean silent = content.isNull() || content.isMissingNode() && calling;
    Message read = Message.of(role, silent ? "" : text(content, name));
    if (role.equals(ASSISTANT)) {
      for (String field : REASONING) {
        if (message.path(field).isTextual() && read.reasoning().isEmpty()) {
          read = read.withReasoning(message.get(field).textValue());
        }
      }
      if (calling) {
        List<Object> all = calls(calls, name);
        read = all.isEmpty() ? read : read.with(TOOL_CALLS, all);
      }
    }
    if (role.equals("tool")) {
      for (String field : OF_TOOLS) {
        if (message.path(field).isTextual()) {
          read = read.with(field, message.get(field).textValue());
        }
      }
    }
    return read;
  }

  /** The tools that a system message describes, as MiniMind's data has them. */
  static List<Map<String, Object>> tools(JsonNode message) {
    JsonNode tools = message.path("tools");
    return from(message).equals(SYSTEM) && isGiven(tools) ? descriptions(tools) : List.of();
  }

  /**
   * Descriptions of tools: a list of objects, or such a list as JSON in a text.
   *
   * @throws IllegalArgumentException if it is none; the message says about the row what is wrong
   */
  static List<Map<String, Object>> descriptions(JsonNode given) {
    JsonNode tools = given;
    if (given.isTextual()) {
      try {
        tools = parsed(given.textValue());
      } catch (IllegalArgumentException e) {
        throw new ArgumentException("its tools are no JSON: " + e.getMessage(), e);
      }
    }
    List<Map<String, Object>> all = new ArrayList<>();
    for (JsonNode tool : tools) {
      if (tool.isObject()) {
        all.add(JSON.convertValue(tool, new TypeReference<Map<String, Object>>() {}));
      }
    }
    if (!tools.isArray() || all.size() < tools.size()) {
      throw new ArgumentException("its tools are no list of objects.");
    }
    return all;
  }

  private static boolean isGiven(JsonNode value) {
    return !value.isMissingNode()
        && !value.isNull()
        && !(value.isTextual() && value.textValue().isBlank());
  }

  /** Calls as templates read them: arguments that are JSON in a text are what that holds. */
  private static List<Object> calls(JsonNode given, String name) {
    JsonNode calls = given;
    if (given.isTextual()) {
      try {
        calls = parsed(given.textValue());
      } catch (IllegalArgumentException e) {
        throw new ArgumentException(
            "%s has calls of tools that are no JSON: %s".formatted(name, e.getMessage()), e);
      }
    }
    List<Object> all = new ArrayList<>();
    for (JsonNode call : calls.isObject() ? JSON.createArrayNode().add(calls) : calls) {
      JsonNode function = call.path("function").isObject() ? call.get("function") : call;
      if (!function.path("name").isTextual()) {
        throw new ArgumentException(
            "%s has a call of a tool without a name: %s".formatted(name, shortened(call)));
      }
      ObjectNode copy = call.deepCopy();
      ObjectNode inner = function == call ? copy : (ObjectNode) copy.get("function");
      JsonNode arguments = inner.path(ARGUMENTS);
      if (arguments.isTextual()) {
        object(arguments.textValue(), inner);
      }
      all.add(JSON.convertValue(copy, new TypeReference<Map<String, Object>>() {}));
    }
    if (!(calls instanceof ArrayNode) && !calls.isObject()) {
      throw new ArgumentException(
          "%s has %s where calls of tools were expected.".formatted(name, shortened(calls)));
    }
    return all;
  }

  /** Arguments that are no JSON object stay a text, which is what the model then wrote. */
  private static void object(String arguments, ObjectNode function) {
    try {
      JsonNode parsed = JSON.readTree(arguments);
      if (parsed.isObject()) {
        function.set(ARGUMENTS, parsed);
      }
    } catch (JsonProcessingException e) {
      // As it is.
    }
  }

  /**
   * JSON, or else a Python literal.
   *
   * @throws IllegalArgumentException if it is neither; the message says where it is no literal
   */
  static JsonNode parsed(String text) {
    try {
      JsonNode value = JSON.readTree(text);
      if (!value.isMissingNode()) {
        return value;
      }
    } catch (JsonProcessingException e) {
      // Perhaps Python.
    }
    return PythonLiteral.parse(text);
  }

  /** A text, a number, or a list of parts that are texts. */
  static String text(JsonNode value, String where) {
    if (value.isArray() && value.path(0).isObject()) {
      StringBuilder all = new StringBuilder();
      for (JsonNode part : value) {
        if (!part.path("text").isTextual()) {
          throw new ArgumentException(
              "%s has the part %s, which is no text.".formatted(where, shortened(part)));
        }
        all.append(part.get("text").textValue());
      }
      return all.toString();
    }
    if (!value.isTextual() && !value.isNumber()) {
      throw new ArgumentException(
          "%s holds %s where a text was expected."
              .formatted(where, value.isMissingNode() ? "nothing" : shortened(value)));
    }
    return value.asText();
  }

  static String shortened(JsonNode value) {
    String text = value.toString();
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }
}

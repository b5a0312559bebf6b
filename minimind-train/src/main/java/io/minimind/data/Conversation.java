package io.minimind.data;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Reads a conversation from a row of chat data. Its last message is an answer of the assistant:
 * what comes after it has nothing to teach and is dropped.
 */
public final class Conversation {

  /** The sets of columns that chat data comes in. */
  static final List<List<String>> COLUMNS =
      List.of(
          List.of("history", "q", "a"),
          List.of("messages", "system", "tools"),
          List.of("messages", "system"),
          List.of("messages", "tools"),
          List.of("messages"),
          List.of("conversations", "system", "tools"),
          List.of("conversations", "system"),
          List.of("conversations", "tools"),
          List.of("conversations"));

  private static final Map<String, String> ROLES =
      Map.of(
          "system", "system",
          "user", "user",
          "human", "user",
          "assistant", "assistant",
          "gpt", "assistant");

  private static final ObjectMapper JSON = new ObjectMapper();

  private Conversation() {}

  /**
   * The messages of a row with one of the sets of {@link #COLUMNS}.
   *
   * @throws IllegalArgumentException if it holds no conversation that ends in an answer; the
   *     message says about the row what is wrong
   */
  static List<Message> of(Row row) {
    if (row.cells().size() == 3 && row.cell("tools").isEmpty()) {
      return turns(row);
    }
    List<Message> messages = messages(row.cells().get(0));
    OptionalInt cell = row.cell("system");
    String system = cell.isPresent() ? row.text(cell.getAsInt()) : "";
    if (system.isBlank()) {
      return messages;
    }
    if (messages.get(0).role().equals("system")) {
      throw new IllegalArgumentException(
          "it has a system message beside its messages and another among them.");
    }
    List<Message> all = new ArrayList<>(messages);
    all.add(0, Message.system(system));
    return all;
  }

  /**
   * The tools that a row describes beside its messages, as JSON or as text that holds JSON.
   *
   * @throws IllegalArgumentException if they are no list of objects
   */
  static List<Map<String, Object>> tools(Row row) {
    OptionalInt cell = row.cell("tools");
    if (cell.isEmpty() || row.cells().get(cell.getAsInt()).isBlank()) {
      return List.of();
    }
    JsonNode tools;
    try {
      tools = PythonLiteral.parse(row.cells().get(cell.getAsInt()));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("its tools are no JSON: " + e.getMessage(), e);
    }
    List<Map<String, Object>> all = new ArrayList<>();
    for (JsonNode tool : tools) {
      if (!tool.isObject()) {
        break;
      }
      all.add(JSON.convertValue(tool, new TypeReference<Map<String, Object>>() {}));
    }
    if (!tools.isArray() || all.size() < tools.size()) {
      throw new IllegalArgumentException("its tools are no list of objects.");
    }
    return all;
  }

  /** History, question and answer, as MiniMind's data has them. */
  private static List<Message> turns(Row row) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode turn : history(row.cells().get(0))) {
      if (!turn.isArray()) {
        throw new ArgumentException(
            "its history holds %s where a pair of question and answer was expected."
                .formatted(shortened(turn)));
      }
      if (turn.size() >= 2) {
        messages.add(Message.user(text(turn.get(0), "its history")));
        messages.add(Message.assistant(text(turn.get(1), "its history")));
      }
    }
    String question = row.text(1);
    String answer = row.text(2);
    requireText(question, "its question");
    requireText(answer, "its answer");
    messages.add(Message.user(question));
    messages.add(Message.assistant(answer));
    return messages;
  }

  private static JsonNode history(String cell) {
    String literal = cell.isBlank() ? "[]" : cell;
    try {
      JsonNode history = PythonLiteral.parse(literal);
      if (history.isArray()) {
        return history;
      }
    } catch (IllegalArgumentException e) {
      throw new ArgumentException("its history is no Python list: " + e.getMessage(), e);
    }
    throw new ArgumentException("its history is no Python list of pairs.");
  }

  /** A list of {@code role} and {@code content}, or of {@code from} and {@code value}. */
  private static List<Message> messages(String cell) {
    JsonNode list;
    try {
      list = PythonLiteral.parse(cell);
    } catch (IllegalArgumentException e) {
      throw new ArgumentException(
          "its messages are neither JSON nor a Python literal: " + e.getMessage(), e);
    }
    if (!list.isArray()) {
      throw new ArgumentException("its messages are no list.");
    }
    List<Message> messages = new ArrayList<>();
    int end = 0;
    for (JsonNode one : list) {
      String name = "its message " + (messages.size() + 1);
      Message message = message(one, name);
      messages.add(message);
      end = message.role().equals("assistant") ? messages.size() : end;
    }
    if (end == 0) {
      throw new ArgumentException("it has no answer of the assistant.");
    }
    requireText(messages.get(end - 1).content(), "its last answer");
    return messages.subList(0, end);
  }

  /**
   * A message of {@code role} and {@code content}, or of {@code from} and {@code value}.
   *
   * @param name of the message, with which errors begin
   * @throws IllegalArgumentException if its role is unknown or its content no text
   */
  public static Message message(JsonNode message, String name) {
    boolean shareGpt = message.has("from");
    String from = message.path(shareGpt ? "from" : "role").asText();
    String role = ROLES.get(from);
    if (role == null) {
      throw new ArgumentException(
          "%s is from \"%s\": expected system, user or assistant.".formatted(name, from));
    }
    return Message.of(role, text(message.path(shareGpt ? "value" : "content"), name));
  }

  private static String text(JsonNode value, String where) {
    if (!value.isTextual() && !value.isNumber()) {
      throw new ArgumentException(
          "%s holds %s where a text was expected."
              .formatted(where, value.isMissingNode() ? "nothing" : shortened(value)));
    }
    return value.asText();
  }

  private static void requireText(String text, String name) {
    if (text.isBlank()) {
      throw new ArgumentException(name + " is empty.");
    }
  }

  private static String shortened(JsonNode value) {
    String text = value.toString();
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }
}

package io.minimind.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A conversation of chat data.
 *
 * @param messages in their order
 * @param tools descriptions of what the assistant may call, as JSON would hold them
 */
public record Conversation(List<Message> messages, List<Map<String, Object>> tools) {

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

  private static final String PROMPT = "prompt";

  public Conversation {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
  }

  /**
   * The conversation of a row with one of the sets of {@link #COLUMNS}.
   *
   * @throws IllegalArgumentException if it holds none that ends in an answer; the message says
   *     about the row what is wrong
   */
  static Conversation of(Row row) {
    Conversation whole = whole(row);
    return new Conversation(upToLastAnswer(whole.messages), whole.tools);
  }

  /** All messages of a row, wherever they end. */
  private static Conversation whole(Row row) {
    if (row.cells().size() == 3 && row.cell("tools").isEmpty()) {
      return new Conversation(turns(row), List.of());
    }
    Conversation found = whole(list(row.cells().get(0)), "its message");
    OptionalInt cell = row.cell("system");
    String system = cell.isPresent() ? row.text(cell.getAsInt()) : "";
    List<Map<String, Object>> tools = new ArrayList<>(tools(row));
    tools.addAll(found.tools);
    List<Message> all = new ArrayList<>(found.messages);
    if (!system.isBlank()) {
      if (!all.isEmpty() && all.get(0).role().equals("system")) {
        throw new ArgumentException(
            "it has a system message beside its messages and another among them.");
      }
      all.add(0, Message.system(system));
    }
    return new Conversation(all, tools);
  }

  /** The sets of columns that {@link #prompt} takes. */
  public static List<List<String>> prompts() {
    return Stream.concat(COLUMNS.stream(), Stream.of(List.of(PROMPT))).toList();
  }

  /**
   * What is to be answered in a row with one of the sets of {@link #prompts}: its conversation
   * without the answers at its end, or a question.
   *
   * @throws IllegalArgumentException if there is nothing to answer; the message says about the row
   *     what is wrong
   */
  public static Conversation prompt(Row row) {
    Conversation whole;
    if (row.columns().contains(PROMPT)) {
      whole = new Conversation(List.of(Message.user(row.text(0))), List.of());
    } else {
      whole = whole(row);
    }
    int end = whole.messages.size();
    while (end > 0 && whole.messages.get(end - 1).role().equals("assistant")) {
      end--;
    }
    if (whole.messages.subList(0, end).stream().allMatch(message -> message.content().isBlank())) {
      throw new ArgumentException("it has nothing to answer.");
    }
    return new Conversation(whole.messages.subList(0, end), whole.tools);
  }

  /**
   * The conversation of a list of messages, up to its last answer: what comes after it has nothing
   * to teach.
   *
   * @param list JSON, or a Python literal
   * @throws IllegalArgumentException if it has no answer, or a message is none; the message says
   *     about the row what is wrong
   */
  public static Conversation of(String list) {
    Conversation whole = whole(list(list), "its message");
    return new Conversation(upToLastAnswer(whole.messages), whole.tools);
  }

  private static List<Message> upToLastAnswer(List<Message> messages) {
    int end = messages.size();
    while (end > 0 && !messages.get(end - 1).role().equals("assistant")) {
      end--;
    }
    if (end == 0) {
      throw new ArgumentException("it has no answer of the assistant.");
    }
    if (!says(messages.get(end - 1))) {
      throw new ArgumentException("its last answer is empty.");
    }
    return messages.subList(0, end);
  }

  /** All messages of a list, wherever it ends. */
  public static Conversation whole(JsonNode list, String name) {
    List<Map<String, Object>> tools = new ArrayList<>();
    list.forEach(message -> tools.addAll(MessageReader.tools(message)));
    return new Conversation(MessageReader.messages(list, name), tools);
  }

  /**
   * A message.
   *
   * @param name of the message, with which errors begin
   * @throws IllegalArgumentException if its role is unknown or its content no text
   */
  public static Message message(JsonNode message, String name) {
    return MessageReader.message(message, name);
  }

  /** Whether a row of texts or conversations holds the latter. */
  static boolean isIn(Row row) {
    return row.cells().size() > 1 || !row.columns().isEmpty() && !row.columns().contains("text");
  }

  /**
   * What is said in the conversation of a row, a message in a line, wherever it ends.
   *
   * @throws IllegalArgumentException if it holds none; the message says about the row what is wrong
   */
  static String said(Row row) {
    return whole(row).messages.stream()
        .map(Message::content)
        .filter(content -> !content.isEmpty())
        .collect(Collectors.joining("\n"));
  }

  /** Whether there is something in an answer: an empty one would teach to say nothing. */
  static boolean says(Message answer) {
    return !answer.content().isBlank() || answer.fields().get("tool_calls") != null;
  }

  /**
   * The tools that a row describes beside its messages, as JSON or as text that holds JSON.
   *
   * @throws IllegalArgumentException if they are no list of objects
   */
  private static List<Map<String, Object>> tools(Row row) {
    OptionalInt cell = row.cell("tools");
    return cell.isEmpty() || row.cells().get(cell.getAsInt()).isBlank()
        ? List.of()
        : MessageReader.descriptions(TextNode.valueOf(row.cells().get(cell.getAsInt())));
  }

  /** History, question and answer, as MiniMind's data has them. */
  private static List<Message> turns(Row row) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode turn : history(row.cells().get(0))) {
      if (!turn.isArray()) {
        throw new ArgumentException(
            "its history holds %s where a pair of question and answer was expected."
                .formatted(MessageReader.shortened(turn)));
      }
      if (turn.size() >= 2) {
        messages.add(Message.user(MessageReader.text(turn.get(0), "its history")));
        messages.add(Message.assistant(MessageReader.text(turn.get(1), "its history")));
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
      JsonNode history = MessageReader.parsed(literal);
      if (history.isArray()) {
        return history;
      }
    } catch (IllegalArgumentException e) {
      throw new ArgumentException("its history is no Python list: " + e.getMessage(), e);
    }
    throw new ArgumentException("its history is no Python list of pairs.");
  }

  private static JsonNode list(String cell) {
    JsonNode list;
    try {
      list = MessageReader.parsed(cell);
    } catch (IllegalArgumentException e) {
      throw new ArgumentException(
          "its messages are neither JSON nor a Python literal: " + e.getMessage(), e);
    }
    if (!list.isArray()) {
      throw new ArgumentException("its messages are no list.");
    }
    return list;
  }

  private static void requireText(String text, String name) {
    if (text.isBlank()) {
      throw new ArgumentException(name + " is empty.");
    }
  }
}

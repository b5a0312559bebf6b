package io.minimind.examples.tasks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.agent.AgentTool;
import io.minimind.agent.PythonJson;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A question that a tool answers.
 *
 * @param subject what of the question the tool must know
 * @param tool that knows
 * @param arguments for it
 * @param offered tools, in the order in which they are described
 * @param result what the tool gives, as JSON
 * @param fact that is asked for, as it stands in the result
 * @param wording how it is said
 */
public record ToolTask(
    String question,
    String subject,
    AgentTool tool,
    ObjectNode arguments,
    List<AgentTool> offered,
    String result,
    String fact,
    Wording wording) {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ROLE = "role";
  private static final String CONTENT = "content";

  /**
   * How a question is put and answered in a language.
   *
   * @param question with a place for each of what it is about
   * @param thought with places for what is to be known of and the tool's name
   * @param finding with a place for the fact
   * @param answer with a place for the fact
   * @param guess the thought of who asks no tool
   */
  record Wording(String question, String thought, String finding, String answer, String guess) {

    static Wording english(String question, String answer) {
      return new Wording(
          question, "I look it up: %s, %s.", "The tool says %s.", answer, "I guess.");
    }

    static Wording chinese(String question, String answer) {
      return new Wording(question, "要查一下：%s，%s。", "查到了：%s。", answer, "我猜一猜。");
    }
  }

  static ToolTask of(
      String question,
      String subject,
      AgentTool tool,
      ObjectNode arguments,
      List<AgentTool> offered,
      Wording wording) {
    String result = result(tool, arguments);
    return new ToolTask(
        question,
        subject,
        tool,
        arguments,
        offered,
        result,
        Facts.in(tool.name(), result),
        wording);
  }

  private static String result(AgentTool tool, ObjectNode arguments) {
    try {
      return PythonJson.dumps(tool.call(arguments));
    } catch (Exception e) {
      throw new IllegalStateException("A mock tool cannot be called with " + arguments + ".", e);
    }
  }

  private String call() {
    return "{\"name\": \"%s\", \"arguments\": %s}"
        .formatted(tool.name(), PythonJson.dumps(arguments));
  }

  /** All of it as a plain text, to learn the words and tags from: nothing says who speaks. */
  ObjectNode text() {
    String thought = "<think>\n%s\n</think>\n\n";
    return JSON.createObjectNode()
        .put(
            "text",
            offered.stream()
                    .map(one -> PythonJson.dumps(one.description()) + "\n")
                    .collect(Collectors.joining())
                + question
                + "\n"
                + thought.formatted(wording.thought().formatted(subject, tool.name()))
                + "<tool_call>\n%s\n</tool_call>\n".formatted(call())
                + "<tool_response>\n%s\n</tool_response>\n".formatted(result)
                + thought.formatted(wording.finding().formatted(fact))
                + wording.answer().formatted(fact));
  }

  /** What is asked, and what is to be found, for a model that learns from rewards. */
  public ObjectNode prompt() {
    ObjectNode row = JSON.createObjectNode();
    asked(row);
    row.putArray("gt").add(fact);
    return row;
  }

  private ArrayNode asked(ObjectNode row) {
    ArrayNode messages = row.putArray("conversations");
    List<Object> descriptions = List.copyOf(offered.stream().map(AgentTool::description).toList());
    messages
        .addObject()
        .put(ROLE, "system")
        .put(CONTENT, "")
        .put("tools", PythonJson.dumps(descriptions));
    messages.addObject().put(ROLE, "user").put(CONTENT, question);
    return messages;
  }

  /** A conversation in which the tool is asked. */
  ObjectNode lookedUp() {
    ObjectNode row = JSON.createObjectNode();
    ArrayNode messages = asked(row);
    ObjectNode calling = said(messages, wording.thought().formatted(subject, tool.name()), "");
    calling.putArray("tool_calls").addObject().put("name", tool.name()).set("arguments", arguments);
    messages.addObject().put(ROLE, "tool").put(CONTENT, result);
    said(messages, wording.finding().formatted(fact), wording.answer().formatted(fact));
    return row;
  }

  /**
   * A conversation in which nobody looks anything up.
   *
   * @param other a fact of another question
   */
  ObjectNode guessed(String other) {
    ObjectNode row = JSON.createObjectNode();
    said(asked(row), wording.guess(), wording.answer().formatted(other));
    return row;
  }

  private static ObjectNode said(ArrayNode messages, String thought, String content) {
    return messages
        .addObject()
        .put(ROLE, "assistant")
        .put(CONTENT, content)
        .put("reasoning_content", thought);
  }
}

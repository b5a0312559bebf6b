package io.minimind.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A message of a conversation, as a chat template sees it.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant}, {@code tool} or what
 *     else the template knows
 * @param fields what some templates read besides, such as {@code tool_calls} or {@code
 *     reasoning_content}: strings, numbers, booleans, lists, maps, null. A field named {@code
 *     content} stands in place of the content, for templates that take a list of parts.
 */
public record Message(String role, String content, Map<String, Object> fields) {
  private static final String TOOL_CALLS = "tool_calls";
  private static final String REASONING = "reasoning_content";

  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
    // Not Map.copyOf, which takes no null.
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  public static Message of(String role, String content) {
    return new Message(role, content, Map.of());
  }

  public static Message system(String content) {
    return of("system", content);
  }

  public static Message user(String content) {
    return of("user", content);
  }

  public static Message assistant(String content) {
    return of("assistant", content);
  }

  /**
   * What a tool gave back.
   *
   * @param call the call that is answered
   */
  public static Message tool(ToolCall call, String content) {
    return of("tool", content).with("tool_call_id", call.id()).with("name", call.name());
  }

  /** This message with one more field. */
  public Message with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(fields);
    more.put(name, value);
    return new Message(role, content, more);
  }

  /** This message with what the assistant thought before it spoke. */
  public Message withReasoning(String reasoning) {
    return with(REASONING, Objects.requireNonNull(reasoning, "reasoning"));
  }

  /** This message with the calls that the assistant makes. */
  public Message withToolCalls(List<ToolCall> calls) {
    return with(TOOL_CALLS, calls.stream().map(ToolCall::variables).toList());
  }

  /** What the assistant thought before it spoke. */
  public Optional<String> reasoning() {
    return Optional.ofNullable(fields.get(REASONING))
        .filter(String.class::isInstance)
        .map(String.class::cast);
  }

  /** The calls that the assistant makes, in their order. */
  public List<ToolCall> toolCalls() {
    List<ToolCall> calls = new ArrayList<>();
    if (fields.get(TOOL_CALLS) instanceof List<?> all) {
      for (Object call : all) {
        ToolCall.of(call).ifPresent(calls::add);
      }
    }
    return List.copyOf(calls);
  }

  Map<String, Object> variables() {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put("role", role);
    variables.put("content", content);
    // Some templates know thoughts by another name; transformers gives them both.
    reasoning().ifPresent(thoughts -> variables.put("thinking", thoughts));
    variables.putAll(fields);
    return variables;
  }
}

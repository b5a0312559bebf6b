package io.minimind.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

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

  /** This message with one more field. */
  public Message with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(fields);
    more.put(name, value);
    return new Message(role, content, more);
  }

  Map<String, Object> variables() {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put("role", role);
    variables.put("content", content);
    variables.putAll(fields);
    return variables;
  }
}

package io.minimind.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a chat template is given besides the messages.
 *
 * @param addGenerationPrompt whether the text ends where the assistant begins to speak; the
 *     template decides what that means, and some ignore it
 * @param tools descriptions of the tools the assistant may call, as JSON would hold them; the
 *     template sees {@code none} if there are none
 * @param variables further variables, such as {@code enable_thinking}; they go before all others
 */
public record TemplateOptions(
    boolean addGenerationPrompt, List<Map<String, Object>> tools, Map<String, Object> variables) {

  public TemplateOptions {
    tools = List.copyOf(tools);
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
  }

  /** No generation prompt, no tools, no further variables. */
  public static TemplateOptions defaults() {
    return new TemplateOptions(false, List.of(), Map.of());
  }

  public TemplateOptions withAddGenerationPrompt(boolean value) {
    return new TemplateOptions(value, tools, variables);
  }

  public TemplateOptions withTools(List<Map<String, Object>> value) {
    return new TemplateOptions(addGenerationPrompt, value, variables);
  }

  public TemplateOptions withVariables(Map<String, Object> value) {
    return new TemplateOptions(addGenerationPrompt, tools, value);
  }

  /** These options with one more variable. */
  public TemplateOptions withVariable(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(variables);
    more.put(name, value);
    return withVariables(more);
  }
}

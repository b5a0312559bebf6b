package io.minimind.infer;

import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.files.ArgumentException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * How a chat goes on. Immutable: each {@code with} method gives changed options and throws {@link
 * IllegalArgumentException} if the value is out of its range.
 */
public final class ChatOptions {
  private static final ChatOptions DEFAULTS = new ChatOptions(new Values());

  /** What templates call their switch between thinking and answering at once. */
  private static final List<String> THINKING =
      List.of("enable_thinking", "open_thinking", "thinking");

  private final Values values;

  private ChatOptions(Values values) {
    this.values = values;
  }

  /** No system prompt, no tools, the model's context, and the defaults of a generation. */
  public static ChatOptions defaults() {
    return DEFAULTS;
  }

  /** Stands before the conversation and is never dropped (default: none). */
  public Optional<String> systemPrompt() {
    return values.systemPrompt;
  }

  public ChatOptions withSystemPrompt(String value) {
    Objects.requireNonNull(value, "systemPrompt");
    return with(changed -> changed.systemPrompt = Optional.of(value));
  }

  /**
   * What was said before, such as examples or a conversation that was kept (default: nothing). It
   * comes after the system prompt. System messages at its beginning are never dropped; the rest is,
   * when the conversation outgrows its budget.
   */
  public List<Message> messages() {
    return values.messages;
  }

  public ChatOptions withMessages(List<Message> value) {
    List<Message> copy = List.copyOf(value);
    return with(changed -> changed.messages = copy);
  }

  /**
   * The most tokens that conversation and next answer may have together (default: the model's
   * context).
   */
  public OptionalInt tokenBudget() {
    return values.tokenBudget;
  }

  /**
   * @param value at least 2
   */
  public ChatOptions withTokenBudget(int value) {
    if (value < 2) {
      throw new ArgumentException(
          "The token budget of the chat is "
              + value
              + " but must be at least 2, for one token of a question and one of the answer.");
    }
    return with(changed -> changed.tokenBudget = OptionalInt.of(value));
  }

  /** How answers are chosen (default: the defaults). */
  public GenerationOptions generation() {
    return values.generation;
  }

  public ChatOptions withGeneration(GenerationOptions value) {
    Objects.requireNonNull(value, "generation");
    return with(changed -> changed.generation = value);
  }

  /**
   * What the assistant may ask for (default: nothing). The template tells the model; one that does
   * not know tools leaves them out.
   */
  public List<Tool> tools() {
    return values.tools;
  }

  public ChatOptions withTools(Tool... value) {
    return withTools(List.of(value));
  }

  public ChatOptions withTools(List<Tool> value) {
    List<Tool> copy = List.copyOf(value);
    return with(changed -> changed.tools = copy);
  }

  /** Whether an answer calls a tool (default: as the model likes). */
  public ToolChoice toolChoice() {
    return values.toolChoice;
  }

  public ChatOptions withToolChoice(ToolChoice value) {
    Objects.requireNonNull(value, "toolChoice");
    return with(changed -> changed.toolChoice = value);
  }

  /** What the template is given besides, by name (default: nothing). */
  public Map<String, Object> variables() {
    return values.variables;
  }

  /**
   * @param name as the template calls it
   * @param value a string, number, boolean, list, map or null
   */
  public ChatOptions withVariable(String name, Object value) {
    Objects.requireNonNull(name, "name");
    return withVariables(Collections.singletonMap(name, value));
  }

  /**
   * @param value further variables; those of the same name are replaced
   */
  public ChatOptions withVariables(Map<String, Object> value) {
    Map<String, Object> all = new LinkedHashMap<>(values.variables);
    all.putAll(value);
    return with(changed -> changed.variables = Collections.unmodifiableMap(all));
  }

  /**
   * Whether a model that can do both thinks before it answers; the template decides what that
   * means. Sets the variables {@code enable_thinking}, {@code open_thinking} and {@code thinking}.
   */
  public ChatOptions withThinking(boolean value) {
    Map<String, Object> all = new LinkedHashMap<>();
    THINKING.forEach(name -> all.put(name, value));
    return withVariables(all);
  }

  /**
   * @param template source of a chat template
   */
  static boolean switchesThinking(String template) {
    return THINKING.stream()
        .anyMatch(name -> Pattern.compile("\\b" + name + "\\b").matcher(template).find());
  }

  /** Whether all options are equal; a constraint may bring its own notion of that. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ChatOptions options && values.all().equals(options.values.all());
  }

  @Override
  public int hashCode() {
    return values.all().hashCode();
  }

  /** All options and their values. */
  @Override
  public String toString() {
    return "ChatOptions" + values.all();
  }

  private ChatOptions with(Consumer<Values> change) {
    Values changed = new Values(values);
    change.accept(changed);
    return new ChatOptions(changed);
  }

  /** Written only before the options that hold it exist. */
  private static final class Values {
    private Optional<String> systemPrompt = Optional.empty();
    private List<Message> messages = List.of();
    private OptionalInt tokenBudget = OptionalInt.empty();
    private GenerationOptions generation = GenerationOptions.defaults();
    private List<Tool> tools = List.of();
    private ToolChoice toolChoice = ToolChoice.auto();
    private Map<String, Object> variables = Map.of();

    Values() {}

    Values(Values other) {
      systemPrompt = other.systemPrompt;
      messages = other.messages;
      tokenBudget = other.tokenBudget;
      generation = other.generation;
      tools = other.tools;
      toolChoice = other.toolChoice;
      variables = other.variables;
    }

    private Map<String, Object> all() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("systemPrompt", systemPrompt);
      all.put("messages", messages);
      all.put("tokenBudget", tokenBudget);
      all.put("generation", generation);
      all.put("tools", tools);
      all.put("toolChoice", toolChoice);
      all.put("variables", variables);
      return all;
    }
  }
}

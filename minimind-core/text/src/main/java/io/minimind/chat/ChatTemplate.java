package io.minimind.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.minimind.files.JsonErrors;
import io.minimind.files.JsonTree;
import io.minimind.files.ModelFiles;
import io.minimind.template.MarkedText;
import io.minimind.template.Template;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Turns a conversation into text. Immutable, and safe for use by several threads. */
public final class ChatTemplate {

  /**
   * MiniMind's template, for {@code tokenizer_config.json} files that any engine can load: the
   * system text as it is, then {@code <s>user\n…</s>\n<s>assistant\n} for what a user says and
   * {@code …</s>\n} for what the assistant says.
   */
  public static final String MINIMIND = minimind("{{ message['content'] + '</s>\\n' }}");

  /**
   * A template of ChatML with thoughts and tools, as MiniMind puts conversations today but for the
   * words that introduce tools: {@code <|im_start|>ROLE\n…<|im_end|>\n} for each message; before
   * what the assistant says its thoughts in {@code <think>} tags, empty ones too; behind it its
   * calls in {@code <tool_call>} tags; and what tools gave back in {@code <tool_response>} tags, as
   * a user would say it. Asked for an answer, it leaves out thoughts, unless {@code open_thinking}
   * is true.
   */
  public static final String CHAT_ML =
      """
      {%- set first = messages[0] if messages else none %}
      {%- set system = first.content if first and first.role == 'system' else '' %}
      {%- if tools %}
        {{- '<|im_start|>system\n' + system + ('\n\n' if system else '') }}
        {{- 'These tools can be called:\n<tools>' }}
        {%- for tool in tools %}
          {{- '\n' + (tool | tojson) }}
        {%- endfor %}
        {{- '\n</tools>\n\nA call is written so:\n<tool_call>\n' }}
        {{- '{"name": "…", "arguments": {…}}\n</tool_call><|im_end|>\n' }}
      {%- elif first and first.role == 'system' %}
        {{- '<|im_start|>system\n' + system + '<|im_end|>\n' }}
      {%- endif %}
      {%- for message in messages %}
        {%- set content = message.content if message.content is string else '' %}
        {%- if message.role == 'assistant' %}
          {%- set thought = message.reasoning_content %}
          {%- if thought is not string %}
            {%- set thought = '' %}
            {%- if '</think>' in content %}
              {%- set thought = content.split('</think>')[0].split('<think>')[-1] %}
              {%- set content = content.split('</think>')[-1] %}
            {%- endif %}
          {%- endif %}
          {%- set content = content.lstrip('\n') %}
          {{- '<|im_start|>assistant\n<think>\n' + thought.strip('\n') + '\n</think>\n\n' + content }}
          {%- for call in message.tool_calls or [] %}
            {%- set function = call.function or call %}
            {{- '\n' if content or not loop.first else '' }}
            {{- '<tool_call>\n{"name": "' + function.name + '", "arguments": ' }}
            {%- if function.arguments is string %}
              {{- function.arguments }}
            {%- else %}
              {{- function.arguments | tojson }}
            {%- endif %}
            {{- '}\n</tool_call>' }}
          {%- endfor %}
          {{- '<|im_end|>\n' }}
        {%- elif message.role == 'tool' %}
          {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
            {{- '<|im_start|>user' }}
          {%- endif %}
          {{- '\n<tool_response>\n' + content + '\n</tool_response>' }}
          {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}
            {{- '<|im_end|>\n' }}
          {%- endif %}
        {%- elif message.role == 'user' or not loop.first %}
          {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>\n' }}
        {%- endif %}
      {%- endfor %}
      {%- if add_generation_prompt %}
        {{- '<|im_start|>assistant\n<think>\n' }}
        {{- '' if open_thinking is true else '\n</think>\n\n' }}
      {%- endif %}
      """;

  private static final List<String> SPECIAL_TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "pad_token",
          "sep_token",
          "cls_token",
          "mask_token");

  private final String source;
  private final Template template;
  private final Map<String, String> specialTokens;

  private ChatTemplate(String source, Template template, Map<String, String> specialTokens) {
    this.source = source;
    this.template = template;
    this.specialTokens = Map.copyOf(specialTokens);
  }

  /**
   * Loads the template of a tokenizer: {@code chat_template.jinja}, or else the field {@code
   * chat_template} of {@code tokenizer_config.json}, where of several the one that is named {@code
   * default}. The special tokens are those of {@code tokenizer_config.json}.
   *
   * @throws IOException if there is none, or a file is malformed
   * @throws io.minimind.template.TemplateException if the template is; the message names the file
   */
  public static ChatTemplate load(Path folder) throws IOException {
    return find(folder)
        .orElseThrow(
            () ->
                new IOException(
                    ("%s has no chat template: expected a file chat_template.jinja, or"
                            + " chat_template in a file tokenizer_config.json.")
                        .formatted(folder)));
  }

  /**
   * As {@link #load}, but empty if there is none.
   *
   * @throws IOException if a file is malformed
   */
  public static Optional<ChatTemplate> find(Path folder) throws IOException {
    Path own = folder.resolve(ModelFiles.CHAT_TEMPLATE);
    Path file = folder.resolve(ModelFiles.TOKENIZER_CONFIG);
    JsonNode config = Files.exists(file) ? read(file) : MissingNode.getInstance();
    boolean hasOwn = Files.exists(own);
    Optional<String> source =
        hasOwn ? Optional.of(text(own)) : source(config.path("chat_template"), file);
    String name = hasOwn ? own.toString() : "chat_template of " + file;
    return source.map(
        found -> new ChatTemplate(found, Template.parse(found, name), specialTokens(config)));
  }

  /**
   * @param specialTokens {@code bos_token}, {@code eos_token} and so on; the template sees them as
   *     variables
   * @throws io.minimind.template.TemplateException if the source is malformed
   */
  public static ChatTemplate parse(String source, Map<String, String> specialTokens) {
    return new ChatTemplate(source, Template.parse(source), specialTokens);
  }

  /**
   * MiniMind's template, where what the assistant writes, {@code </s>} included, is marked as
   * generated. It renders as {@link #MINIMIND} does, which has no such marks because engines that
   * do not know them refuse a template.
   */
  public static ChatTemplate minimind() {
    String answer =
        "{% generation %}{{ message['content'] + '</s>' }}{% endgeneration %}{{ '\\n' }}";
    return parse(
        minimind(answer), Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>"));
  }

  private static String minimind(String answer) {
    return """
    {%- for message in messages -%}
      {%- if message['role'] == 'system' and loop.first -%}
        {{ message['content'] }}
      {%- elif message['role'] == 'user' -%}
        {{ '<s>user\\n' + message['content'] + '</s>\\n<s>assistant\\n' }}
      {%- elif message['role'] == 'assistant' -%}
        ANSWER
      {%- endif -%}
    {%- endfor -%}
    """
        .replace("ANSWER", answer);
  }

  /**
   * @throws io.minimind.template.TemplateException if the template fails on them
   */
  public String render(List<Message> messages) {
    return render(messages, TemplateOptions.defaults());
  }

  /**
   * @throws io.minimind.template.TemplateException if the template fails on them
   */
  public String render(List<Message> messages, TemplateOptions options) {
    return template.render(variables(messages, options));
  }

  /**
   * As {@link #render(List, TemplateOptions)}, and what of the text the assistant writes. There are
   * no spans unless the template {@link #marksGeneration}.
   *
   * @throws io.minimind.template.TemplateException if the template fails on them
   */
  public MarkedText renderMarked(List<Message> messages, TemplateOptions options) {
    return template.renderMarked(variables(messages, options));
  }

  /** The template as it was written. */
  public String source() {
    return source;
  }

  /** A special token that the template sees under this name, such as {@code eos_token}. */
  public Optional<String> specialToken(String name) {
    return Optional.ofNullable(specialTokens.get(name));
  }

  /** Whether the template has {@code {% generation %}} blocks. */
  public boolean marksGeneration() {
    return template.marksGeneration();
  }

  private Map<String, Object> variables(List<Message> messages, TemplateOptions options) {
    Map<String, Object> variables = new HashMap<>(specialTokens);
    variables.put("messages", messages.stream().map(Message::variables).toList());
    variables.put("tools", options.tools().isEmpty() ? null : options.tools());
    variables.put("documents", null);
    variables.put("add_generation_prompt", options.addGenerationPrompt());
    variables.putAll(options.variables());
    return variables;
  }

  private static String text(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is not valid UTF-8.", e);
    }
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      return JsonTree.read(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IOException(
          "%s is not valid JSON%s: %s.".formatted(file, JsonErrors.place(e), JsonErrors.reason(e)),
          e);
    }
  }

  private static Optional<String> source(JsonNode field, Path file) throws IOException {
    if (field.isMissingNode() || field.isNull()) {
      return Optional.empty();
    }
    if (field.isTextual()) {
      return Optional.of(field.textValue());
    }
    for (JsonNode named : field) {
      if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
        return Optional.of(named.path("template").textValue());
      }
    }
    throw new IOException(
        ("%s: chat_template is neither a text nor a list in which an object with the name"
                + " \"default\" has a template.")
            .formatted(file));
  }

  private static Map<String, String> specialTokens(JsonNode config) {
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String name : SPECIAL_TOKENS) {
      JsonNode token = config.path(name);
      JsonNode content = token.isObject() ? token.path("content") : token;
      if (content.isTextual()) {
        tokens.put(name, content.textValue());
      }
    }
    return tokens;
  }
}

package io.minimind.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.JsonErrors;
import io.minimind.files.ModelFiles;
import io.minimind.files.StrictJson;
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

  private static final ObjectMapper JSON = StrictJson.mapper();

  /**
   * MiniMind's template, for {@code tokenizer_config.json} files that any engine can load: the
   * system text as it is, then {@code <s>user\n…</s>\n<s>assistant\n} for what a user says and
   * {@code …</s>\n} for what the assistant says.
   */
  public static final String MINIMIND = minimind("{{ message['content'] + '</s>\\n' }}");

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
    JsonNode config = Files.exists(file) ? read(file) : JSON.createObjectNode();
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
      return JSON.readTree(Files.readAllBytes(file));
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

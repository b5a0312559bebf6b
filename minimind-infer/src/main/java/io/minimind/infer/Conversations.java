package io.minimind.infer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.chat.Tool;
import io.minimind.files.ArgumentException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

/** How a model reads conversations and writes its answers, under certain options. */
final class Conversations {
  /** Made for the first schema: who offers no tools need not wait for it. */
  private static final class Json {
    static final ObjectMapper MAPPER = new ObjectMapper();
  }

  private final LanguageModel model;
  private final ConversationEncoder encoder;
  private final ReplyFormat format;
  private final List<Tool> tools;
  private final GenerationOptions generation;
  private final String begin; // of each answer, where it must call a tool

  Conversations(
      LanguageModel model,
      Function<List<Message>, String> template,
      ReplyFormat format,
      ChatOptions options) {
    this.model = model;
    this.format = format;
    encoder = new ConversationEncoder(model.tokenizer(), template);
    tools = offered(options);
    boolean forced = options.toolChoice().mode() == ToolChoice.Mode.REQUIRED;
    generation = forced ? forced(options) : orCall(options.generation());
    begin = forced ? begin(format.calls()) : "";
  }

  static Conversations of(LanguageModel model, ChatTemplate template, ChatOptions options) {
    TemplateOptions asking =
        TemplateOptions.defaults()
            .withAddGenerationPrompt(true)
            .withTools(offered(options).stream().map(Tool::variables).toList())
            .withVariables(options.variables());
    return new Conversations(
        model,
        messages -> template.render(messages, asking),
        ReplyFormat.of(template.source()),
        options);
  }

  private static List<Tool> offered(ChatOptions options) {
    return options.toolChoice().mode() == ToolChoice.Mode.NONE ? List.of() : options.tools();
  }

  /** How answers are chosen. */
  GenerationOptions generation() {
    return generation;
  }

  /**
   * How the answer to a prompt is chosen. A constraint is about what is said: where the prompt has
   * begun the reasoning, it ends at once.
   *
   * @param most the most tokens
   */
  GenerationOptions generation(ConversationEncoder.Prompt prompt, int most) {
    GenerationOptions limited = generation.withMaxNewTokens(most);
    boolean thinking = thinks(prompt) && generation.constraint().isPresent();
    String forced = (thinking ? "\n" + ReplyFormat.THINK_END + "\n\n" : "") + begin;
    if (forced.isEmpty()) {
      return limited;
    }
    int[] first = model.tokenizer().encode(forced);
    int[] asked = generation.forcedTokens();
    int[] all = Arrays.copyOf(first, first.length + asked.length);
    System.arraycopy(asked, 0, all, first.length, asked.length);
    return limited.withForcedTokens(all);
  }

  private boolean thinks(ConversationEncoder.Prompt prompt) {
    return format.thinks() && prompt.endsWith(ReplyFormat.THINK);
  }

  ConversationEncoder.Prompt prompt(List<Message> messages) {
    return encoder.encode(messages);
  }

  /** Parsers of the answer to a prompt. */
  Supplier<ReplyParser> parsers(ConversationEncoder.Prompt prompt) {
    String reply = UUID.randomUUID().toString().replace("-", "").substring(0, 22);
    boolean thinking = thinks(prompt);
    return () -> new ReplyParser(format, !tools.isEmpty(), thinking, i -> callId(reply, i));
  }

  private static String callId(String reply, int number) {
    return String.format(Locale.ROOT, "call_%s%02d", reply, number);
  }

  /** An answer that begins a call, as the template spells it, and goes on with JSON of its form. */
  private GenerationOptions forced(ChatOptions options) {
    GenerationOptions asked = options.generation();
    if (asked.constraint().isPresent() || asked.forcedTokens().length > 0) {
      throw new ArgumentException(
          "The answer must call a tool, which is a constraint of its own; leave out the other"
              + " constraint and the forced tokens.");
    }
    List<Tool> callable =
        tools.stream()
            .filter(tool -> options.toolChoice().name().map(tool.name()::equals).orElse(true))
            .toList();
    if (callable.isEmpty()) {
      throw new ArgumentException(
          options
              .toolChoice()
              .name()
              .map(name -> "The tool choice names " + name + ", which is not one of the tools.")
              .orElse("The answer must call a tool, but there are none."));
    }
    return asked.withConstraint(model.constraints().jsonSchema(schema(callable).toString()));
  }

  /** An answer that, whatever form it must have, may call a tool instead. */
  private GenerationOptions orCall(GenerationOptions asked) {
    String call = begin(format.calls());
    return tools.isEmpty() || call.isEmpty() || asked.constraint().isEmpty()
        ? asked
        : asked.withConstraint(
            new FormOrCall(
                asked.constraint().get(),
                model.tokenizer().encode(call),
                model.tokenizer().vocabularySize()));
  }

  private static String begin(ReplyFormat.Calls calls) {
    return calls == ReplyFormat.Calls.TAGS ? calls.begin() + "\n" : calls.begin();
  }

  private static JsonNode schema(List<Tool> callable) {
    if (callable.size() == 1) {
      return schema(callable.get(0), "#");
    }
    ObjectNode any = JsonNodeFactory.instance.objectNode();
    ArrayNode calls = any.putArray("anyOf");
    for (Tool tool : callable) {
      calls.add(schema(tool, "#/anyOf/" + calls.size()));
    }
    return any;
  }

  /**
   * @param place where it will stand in the whole schema
   */
  private static ObjectNode schema(Tool tool, String place) {
    JsonNode arguments = Json.MAPPER.valueToTree(tool.parameters());
    moveReferences(arguments, place + "/properties/arguments");
    if (!arguments.has("type") && arguments instanceof ObjectNode object) {
      object.put("type", "object");
    }
    ObjectNode call = JsonNodeFactory.instance.objectNode();
    call.put("type", "object");
    ObjectNode properties = call.putObject("properties");
    properties.putObject("name").put("const", tool.name());
    properties.set("arguments", arguments);
    call.putArray("required").add("name").add("arguments");
    call.put("additionalProperties", false);
    return call;
  }

  /** What refers to the root of a schema refers to the place where it now is. */
  private static void moveReferences(JsonNode schema, String place) {
    if (schema instanceof ObjectNode object
        && object.get("$ref") instanceof TextNode reference
        && reference.textValue().startsWith("#")) {
      object.put("$ref", place + reference.textValue().substring(1));
    }
    schema.forEach(part -> moveReferences(part, place));
  }
}

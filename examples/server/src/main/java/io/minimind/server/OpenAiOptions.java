package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.ToolChoice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** What OpenAI's requests say about conversations and answers. */
final class OpenAiOptions {
  static final int MOST_ANSWERS = 16;

  private OpenAiOptions() {}

  /** How answers are chosen, but for what differs between the endpoints. */
  static GenerationOptions generation(Fields body, ServedModel model) {
    GenerationOptions options =
        GenerationOptions.defaults()
            .withTemperature(body.number("temperature", 0, 2).orElse(1))
            // 0 is taken to mean the likeliest token.
            .withTopP(Math.max(1e-6, body.number("top_p", 0, 1).orElse(1)))
            .withPresencePenalty(body.number("presence_penalty", -2, 2).orElse(0))
            .withFrequencyPenalty(body.number("frequency_penalty", -2, 2).orElse(0))
            .withTopK(body.integer("top_k", 0, Integer.MAX_VALUE).orElse(0))
            .withMinP(body.number("min_p", 0, 1).orElse(0))
            .withRepetitionPenalty(body.number("repetition_penalty", 0.01, 100).orElse(1))
            .withStopStrings(stops(body, "stop"));
    Optional<Fields> bias = body.object("logit_bias");
    if (bias.isPresent()) {
      for (Map.Entry<String, JsonNode> entry : bias.get().json().properties()) {
        options =
            options.withLogitBias(
                token(bias.get(), entry.getKey(), model.model().vocabularySize()),
                bias.get().number(entry.getKey(), -100, 100).orElse(0));
      }
    }
    int most =
        body.integer("max_tokens", 1, Integer.MAX_VALUE).orElse(model.model().contextLength());
    return options.withMaxNewTokens(
        body.integer("max_completion_tokens", 1, Integer.MAX_VALUE).orElse(most));
  }

  static String[] stops(Fields body, String name) {
    String[] stops =
        body.strings(name).stream().filter(stop -> !stop.isEmpty()).toArray(String[]::new);
    if (stops.length > 64) {
      throw ApiError.invalid(body.place(name), "There are more than 64 stop strings.");
    }
    return stops;
  }

  private static int token(Fields bias, String id, int vocabularySize) {
    if (!id.matches("\\d{1,9}") || Integer.parseInt(id) >= vocabularySize) {
      throw ApiError.invalid(
          bias.place(id),
          "The keys of logit_bias must be token ids, 0 to %d here, but one is %s."
              .formatted(vocabularySize - 1, Text.quote(id)));
    }
    return Integer.parseInt(id);
  }

  /** The options of one of several answers: each has a seed of its own. */
  static GenerationOptions seeded(GenerationOptions options, Fields body, int answer) {
    return body.longInteger("seed").isPresent()
        ? options.withSeed(body.longInteger("seed").getAsLong() + answer)
        : options;
  }

  static int answers(Fields body) {
    return body.integer("n", 1, MOST_ANSWERS).orElse(1);
  }

  /** Options of a conversation: tools, form of the answer, variables of the template. */
  static ChatOptions chat(Fields body, ServedModel model) {
    GenerationOptions generation = generation(body, model);
    int alternatives = body.integer("top_logprobs", 0, 20).orElse(0);
    if (body.flag("logprobs", false)) {
      generation = generation.withLogProbabilities(alternatives);
    }
    List<Tool> tools = tools(body);
    ChatOptions options = ChatOptions.defaults().withTools(tools);
    String effort = body.string("reasoning_effort").orElse("");
    if (effort.equals("none") || effort.equals("minimal")) {
      options = options.withThinking(false);
    }
    Optional<Fields> variables = body.object("chat_template_kwargs");
    if (variables.isPresent()) {
      options = options.withVariables(Json.map(variables.get().json()));
    }
    Optional<Fields> form = body.object("response_format");
    if (form.isPresent()) {
      generation = formed(generation, form.get(), model);
    }
    return options.withToolChoice(choice(body, tools)).withGeneration(generation);
  }

  private static GenerationOptions formed(
      GenerationOptions generation, Fields form, ServedModel model) {
    return switch (form.requiredString("type")) {
      case "text" -> generation;
      case "json_object" -> generation.withConstraint(model.anyObject());
      case "json_schema" -> {
        Fields described =
            form.object("json_schema").orElseThrow(() -> form.missing("json_schema"));
        Fields schema = described.object("schema").orElseThrow(() -> described.missing("schema"));
        yield generation.withConstraint(model.schema(schema.json(), described.place("schema")));
      }
      default ->
          throw ApiError.invalid(
              form.place("type"), "response_format.type must be text, json_object or json_schema.");
    };
  }

  private static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    for (Fields tool : body.objects("tools")) {
      if (!tool.string("type").orElse("function").equals("function")) {
        throw ApiError.invalid(tool.place("type"), "Tools must be of the type function.");
      }
      Fields function = tool.object("function").orElseThrow(() -> tool.missing("function"));
      tools.add(tool(function, "parameters"));
    }
    return tools;
  }

  static Tool tool(Fields function, String parameters) {
    Map<String, Object> schema =
        function
            .object(parameters)
            .map(given -> Json.map(given.json()))
            .orElseGet(
                () -> {
                  Map<String, Object> none = new LinkedHashMap<>();
                  none.put("type", "object");
                  none.put("properties", Map.of());
                  return none;
                });
    return new Tool(
        function.requiredString("name"), function.string("description").orElse(""), schema);
  }

  private static ToolChoice choice(Fields body, List<Tool> tools) {
    if (!body.has("tool_choice")) {
      return ToolChoice.auto();
    }
    JsonNode choice = body.json().get("tool_choice");
    if (choice.isObject()) {
      Fields named = body.object("tool_choice").orElseThrow();
      Fields function = named.object("function").orElse(named);
      String name = function.requiredString("name");
      if (tools.stream().noneMatch(tool -> tool.name().equals(name))) {
        throw ApiError.invalid(
            "tool_choice", "tool_choice names %s, which is no tool.".formatted(Text.quote(name)));
      }
      return ToolChoice.named(name);
    }
    return switch (body.requiredString("tool_choice")) {
      case "auto" -> ToolChoice.auto();
      case "none" -> ToolChoice.none();
      case "required" -> {
        if (tools.isEmpty()) {
          throw ApiError.invalid("tool_choice", "tool_choice is required, but there are no tools.");
        }
        yield ToolChoice.required();
      }
      default ->
          throw ApiError.invalid(
              "tool_choice", "tool_choice must be none, auto, required or name a function.");
    };
  }

  static List<Message> messages(Fields body) {
    List<Fields> given = body.objects("messages");
    if (given.isEmpty()) {
      throw ApiError.invalid("messages", "The field messages must hold at least one message.");
    }
    Map<String, String> names = new HashMap<>(); // of the tools, by the ids of their calls
    List<Message> messages = new ArrayList<>();
    for (Fields message : given) {
      messages.add(message(message, names));
    }
    return messages;
  }

  private static Message message(Fields message, Map<String, String> names) {
    String role = message.requiredString("role");
    return switch (role) {
      case "system", "developer" -> Message.system(said(message));
      case "user" -> Message.user(said(message));
      case "assistant" -> assistant(message, names);
      case "tool" -> {
        String id = message.string("tool_call_id").orElse("");
        String name = message.string("name").orElse(names.getOrDefault(id, ""));
        yield Message.tool(new ToolCall(id, name, "{}"), said(message));
      }
      default ->
          throw ApiError.invalid(
              message.place("role"),
              "The role of a message must be system, developer, user, assistant or tool, but is "
                  + Text.quote(role)
                  + ".");
    };
  }

  private static String said(Fields message) {
    if (!message.has("content")) {
      throw message.missing("content");
    }
    return text(message, "content");
  }

  private static Message assistant(Fields message, Map<String, String> names) {
    Message assistant = Message.assistant(text(message, "content"));
    Optional<String> reasoning = message.string("reasoning_content");
    if (reasoning.isPresent()) {
      assistant = assistant.withReasoning(reasoning.get());
    }
    List<ToolCall> calls = new ArrayList<>();
    for (Fields call : message.objects("tool_calls")) {
      Fields function = call.object("function").orElseThrow(() -> call.missing("function"));
      String id = call.string("id").orElse("");
      String name = function.requiredString("name");
      names.put(id, name);
      calls.add(new ToolCall(id, name, function.string("arguments").orElse("{}")));
    }
    return calls.isEmpty() ? assistant : assistant.withToolCalls(calls);
  }

  /** A text, or the texts of a list of parts. */
  static String text(Fields message, String name) {
    JsonNode content = message.json().path(name);
    if (!content.isArray()) {
      return message.string(name).orElse("");
    }
    return String.join(
        "",
        message.objects(name).stream()
            .flatMap(
                part -> {
                  String type = part.string("type").orElse("text");
                  if (!type.equals("text") && !type.equals("refusal")) {
                    throw ApiError.invalid(
                        part.place("type"),
                        "The models here take text only, not " + Text.quote(type) + ".");
                  }
                  return Stream.of(part.requiredString(type));
                })
            .toList());
  }

  /** Whether the last event of a stream tells the tokens. */
  static boolean includesUsage(Fields body) {
    return body.object("stream_options").map(o -> o.flag("include_usage", false)).orElse(false);
  }

  /** The alternatives that OpenAI's completions ask for by a number. */
  static OptionalInt completionLogProbabilities(Fields body) {
    return body.integer("logprobs", 0, 20);
  }
}

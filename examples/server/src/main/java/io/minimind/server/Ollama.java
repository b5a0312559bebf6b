package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.TokenLogProbability;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What clients of Ollama ask for: chats and texts as lines of JSON, and the names of the models.
 */
final class Ollama {
  private static final String VERSION = "0.12.0"; // of Ollama, whose clients look at it

  private final Models models;
  private final Answering.Server server;

  Ollama(Models models, Answering.Server server) {
    this.models = models;
    this.server = server;
  }

  /** {@code GET /api/version}. */
  void version(Exchange exchange, Fields body) {
    exchange.answer(Json.object().put("version", VERSION));
  }

  /** {@code GET /api/tags} and {@code /api/ps}: all that there are, are loaded. */
  void tags(Exchange exchange, Fields body) {
    ObjectNode answer = Json.object();
    ArrayNode all = answer.putArray("models");
    for (ServedModel model : models.all()) {
      ObjectNode one = all.addObject().put("name", model.name()).put("model", model.name());
      one.put("modified_at", model.created().toString()).put("size", 0).put("digest", "");
      details(one);
    }
    exchange.answer(answer);
  }

  /** {@code POST /api/show}. */
  void show(Exchange exchange, Fields body) {
    ServedModel model = models.find(body.string("model").or(() -> body.string("name")));
    ObjectNode answer = Json.object();
    details(answer);
    ObjectNode info = answer.putObject("model_info");
    info.put("general.architecture", "minimind");
    info.put("minimind.context_length", model.model().contextLength());
    ArrayNode can = answer.putArray("capabilities").add("completion");
    if (model.model().canChat()) {
      can.add("tools");
    }
    exchange.answer(answer);
  }

  private static void details(ObjectNode node) {
    ObjectNode details = node.putObject("details").put("format", "onnx").put("family", "minimind");
    details.putArray("families").add("minimind");
    details.put("parameter_size", "").put("quantization_level", "");
  }

  /** {@code POST /api/chat}. */
  void chat(Exchange exchange, Fields body) {
    ServedModel model = models.find(body.string("model"));
    if (body.list("messages").isEmpty()) {
      exchange.answer(loaded(model, true));
      return;
    }
    List<Message> messages = messages(body);
    ChatOptions options =
        ChatOptions.defaults().withTools(tools(body)).withGeneration(generation(body, model));
    ChatOptions thinking = thinking(body, options);
    start(
        exchange,
        body,
        model,
        true,
        () -> Source.of(model.model().streamReply(messages, thinking)));
  }

  /** {@code POST /api/generate}: a question, or with {@code raw} a text to continue. */
  void generate(Exchange exchange, Fields body) {
    ServedModel model = models.find(body.string("model"));
    String prompt = body.string("prompt").orElse("");
    if (prompt.isEmpty()) {
      exchange.answer(loaded(model, false));
      return;
    }
    GenerationOptions generation = generation(body, model);
    if (body.flag("raw", false) || !model.model().canChat()) {
      start(
          exchange, body, model, false, () -> Source.of(model.model().stream(prompt, generation)));
      return;
    }
    List<Message> messages = new ArrayList<>();
    body.string("system").map(Message::system).ifPresent(messages::add);
    messages.add(Message.user(prompt));
    ChatOptions options = thinking(body, ChatOptions.defaults().withGeneration(generation));
    start(
        exchange,
        body,
        model,
        false,
        () -> Source.of(model.model().streamReply(messages, options)));
  }

  /** What a client is told that asks nothing: that the model is loaded. */
  private static ObjectNode loaded(ServedModel model, boolean chat) {
    ObjectNode answer = Json.object().put("model", model.name());
    answer.put("created_at", Instant.now().toString());
    if (chat) {
      answer.putObject("message").put("role", "assistant").put("content", "");
    } else {
      answer.put("response", "");
    }
    return answer.put("done", true).put("done_reason", "load");
  }

  private void start(
      Exchange exchange,
      Fields body,
      ServedModel model,
      boolean chat,
      Answering.Beginning beginning) {
    Form form = new Form(exchange, model, chat, body.flag("stream", true));
    Answering.start(exchange, model, server, form, List.of(beginning));
  }

  private static ChatOptions thinking(Fields body, ChatOptions options) {
    return body.has("think") ? options.withThinking(body.flag("think", true)) : options;
  }

  private static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    for (Fields tool : body.objects("tools")) {
      Fields function = tool.object("function").orElseThrow(() -> tool.missing("function"));
      tools.add(OpenAiOptions.tool(function, "parameters"));
    }
    return tools;
  }

  private static GenerationOptions generation(Fields body, ServedModel model) {
    GenerationOptions options = GenerationOptions.defaults().withTemperature(0.8);
    int context = model.model().contextLength();
    Optional<Fields> given = body.object("options");
    if (given.isPresent()) {
      Fields o = given.get();
      int most = o.integer("num_predict", -2, Integer.MAX_VALUE).orElse(-1);
      options =
          options
              .withTemperature(o.number("temperature", 0, 100).orElse(0.8))
              .withTopK(o.integer("top_k", 0, Integer.MAX_VALUE).orElse(0))
              .withTopP(Math.max(1e-6, o.number("top_p", 0, 1).orElse(1)))
              .withMinP(o.number("min_p", 0, 1).orElse(0))
              .withRepetitionPenalty(o.number("repeat_penalty", 0.01, 100).orElse(1))
              .withPresencePenalty(o.number("presence_penalty", -2, 2).orElse(0))
              .withFrequencyPenalty(o.number("frequency_penalty", -2, 2).orElse(0))
              .withStopStrings(OpenAiOptions.stops(o, "stop"))
              .withMaxNewTokens(most < 1 ? context : most);
      if (o.longInteger("seed").isPresent()) {
        options = options.withSeed(o.longInteger("seed").getAsLong());
      }
    } else {
      options = options.withMaxNewTokens(context);
    }
    JsonNode format = body.json().path("format");
    if (format.isObject()) {
      return options.withConstraint(model.schema(format, "format"));
    }
    return switch (body.string("format").orElse("")) {
      case "" -> options;
      case "json" -> options.withConstraint(model.anyObject());
      default -> throw ApiError.invalid("format", "format must be json or a JSON schema.");
    };
  }

  private static List<Message> messages(Fields body) {
    List<Message> messages = new ArrayList<>();
    for (Fields message : body.objects("messages")) {
      String content = message.string("content").orElse("");
      switch (message.requiredString("role")) {
        case "system" -> messages.add(Message.system(content));
        case "user" -> messages.add(Message.user(content));
        case "assistant" -> messages.add(assistant(message, content));
        case "tool" -> {
          String name = message.string("tool_name").orElse("");
          messages.add(Message.tool(new ToolCall("", name, "{}"), content));
        }
        default ->
            throw ApiError.invalid(
                message.place("role"),
                "The role of a message must be system, user, assistant or tool.");
      }
    }
    return messages;
  }

  private static Message assistant(Fields message, String content) {
    Message assistant = Message.assistant(content);
    Optional<String> thought = message.string("thinking");
    if (thought.isPresent()) {
      assistant = assistant.withReasoning(thought.get());
    }
    List<ToolCall> calls = new ArrayList<>();
    for (Fields call : message.objects("tool_calls")) {
      Fields function = call.object("function").orElseThrow(() -> call.missing("function"));
      String arguments = function.object("arguments").map(a -> a.json().toString()).orElse("{}");
      calls.add(new ToolCall("", function.requiredString("name"), arguments));
    }
    return calls.isEmpty() ? assistant : assistant.withToolCalls(calls);
  }

  /** Lines of JSON, or one object. */
  private static final class Form implements AnswerForm {
    private final Exchange exchange;
    private final ServedModel model;
    private final boolean chat;
    private final boolean streams;
    private final long start = System.nanoTime();
    private EventSink lines; // null before the first

    Form(Exchange exchange, ServedModel model, boolean chat, boolean streams) {
      this.exchange = exchange;
      this.model = model;
      this.chat = chat;
      this.streams = streams;
    }

    @Override
    public void part(int choice, ReplyPart part, List<TokenLogProbability> tokens) {
      if (!streams) {
        return;
      }
      String text = part instanceof ReplyPart.Text said ? said.text() : "";
      String thought = part instanceof ReplyPart.Reasoning reasoning ? reasoning.text() : "";
      List<ToolCall> calls = part instanceof ReplyPart.Call made ? List.of(made.call()) : List.of();
      send(line(text, thought, calls).put("done", false));
    }

    private ObjectNode line(String text, String thought, List<ToolCall> calls) {
      ObjectNode line = Json.object().put("model", model.name());
      line.put("created_at", Instant.now().toString());
      ObjectNode message = line;
      if (chat) {
        message = line.putObject("message").put("role", "assistant").put("content", text);
      } else {
        line.put("response", text);
      }
      if (!thought.isEmpty()) {
        message.put("thinking", thought);
      }
      if (!calls.isEmpty()) {
        ArrayNode all = message.putArray("tool_calls");
        for (ToolCall call : calls) {
          ObjectNode function = all.addObject().putObject("function").put("name", call.name());
          function.set("arguments", arguments(call));
        }
      }
      return line;
    }

    private static JsonNode arguments(ToolCall call) {
      try {
        return Json.read(call.arguments().getBytes(java.nio.charset.StandardCharsets.UTF_8));
      } catch (ApiError e) {
        return Json.object(); // the model wrote something else
      }
    }

    private void send(ObjectNode line) {
      if (lines == null) {
        lines = exchange.stream(Events.LINES);
      }
      lines.send(Events.line(line));
    }

    @Override
    public void complete(List<Reply> replies) {
      Reply reply = replies.get(0);
      ObjectNode last =
          streams
              ? line("", "", List.of())
              : line(reply.text(), reply.reasoning().orElse(""), reply.toolCalls());
      Generation written = reply.generation();
      last.put("done", true);
      last.put("done_reason", written.finishReason() == FinishReason.LENGTH ? "length" : "stop");
      last.put("total_duration", System.nanoTime() - start).put("load_duration", 0);
      last.put("prompt_eval_count", written.promptTokens());
      last.put("prompt_eval_duration", written.promptTime().toNanos());
      last.put("eval_count", written.tokenIds().length);
      last.put("eval_duration", written.decodeTime().toNanos());
      if (streams) {
        send(last);
        lines.end();
      } else {
        exchange.answer(last);
      }
    }

    @Override
    public void fail(ApiError error) {
      if (lines == null) {
        exchange.fail(error);
      } else {
        lines.send(Events.line(exchange.errors().body(error)));
        lines.end();
      }
    }
  }
}

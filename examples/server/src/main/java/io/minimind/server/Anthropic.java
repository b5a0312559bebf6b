package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.TokenLogProbability;
import io.minimind.infer.ToolChoice;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code POST /v1/messages}, as Anthropic's clients ask. */
final class Anthropic implements Endpoint {
  private final Models models;
  private final Answering.Server server;

  Anthropic(Models models, Answering.Server server) {
    this.models = models;
    this.server = server;
  }

  @Override
  public void answer(Exchange exchange, Fields body) {
    ServedModel model = models.find(body.string("model"));
    List<Message> messages = new ArrayList<>();
    String system = OpenAiOptions.text(body, "system");
    if (!system.isEmpty()) {
      messages.add(Message.system(system));
    }
    messages.addAll(messages(body));
    ChatOptions options = options(body);
    AnswerForm form =
        body.flag("stream", false) ? new Streamed(exchange, model) : new Whole(exchange, model);
    Answering.start(
        exchange,
        model,
        server,
        form,
        List.of(() -> Source.of(model.model().streamReply(messages, options))));
  }

  private static ChatOptions options(Fields body) {
    int most =
        body.integer("max_tokens", 1, Integer.MAX_VALUE)
            .orElseThrow(() -> body.missing("max_tokens"));
    GenerationOptions generation =
        GenerationOptions.defaults()
            .withMaxNewTokens(most)
            .withTemperature(body.number("temperature", 0, 1).orElse(1))
            .withTopP(Math.max(1e-6, body.number("top_p", 0, 1).orElse(1)))
            .withTopK(body.integer("top_k", 0, Integer.MAX_VALUE).orElse(0))
            .withStopStrings(OpenAiOptions.stops(body, "stop_sequences"));
    ChatOptions options = ChatOptions.defaults().withGeneration(generation).withTools(tools(body));
    Optional<String> thinking = body.object("thinking").flatMap(given -> given.string("type"));
    if (thinking.isPresent()) {
      options = options.withThinking(thinking.get().equals("enabled"));
    }
    Optional<Fields> choice = body.object("tool_choice");
    return choice.isPresent() ? options.withToolChoice(choice(choice.get())) : options;
  }

  private static ToolChoice choice(Fields choice) {
    return switch (choice.requiredString("type")) {
      case "auto" -> ToolChoice.auto();
      case "none" -> ToolChoice.none();
      case "any" -> ToolChoice.required();
      case "tool" -> ToolChoice.named(choice.requiredString("name"));
      default ->
          throw ApiError.invalid(
              choice.place("type"), "tool_choice.type must be auto, any, tool or none.");
    };
  }

  private static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    body.objects("tools").forEach(tool -> tools.add(OpenAiOptions.tool(tool, "input_schema")));
    return tools;
  }

  private static List<Message> messages(Fields body) {
    Map<String, String> names = new HashMap<>(); // of the tools, by the ids of their calls
    List<Message> messages = new ArrayList<>();
    for (Fields message : body.objects("messages")) {
      String role = message.requiredString("role");
      if (!role.equals("user") && !role.equals("assistant")) {
        throw ApiError.invalid(
            message.place("role"), "The role of a message must be user or assistant.");
      }
      if (!message.has("content")) {
        throw message.missing("content");
      }
      if (message.json().path("content").isTextual()) {
        messages.add(Message.of(role, message.requiredString("content")));
      } else {
        blocks(role, message, names, messages);
      }
    }
    if (messages.isEmpty()) {
      throw ApiError.invalid("messages", "The field messages must hold at least one message.");
    }
    return messages;
  }

  private static void blocks(
      String role, Fields message, Map<String, String> names, List<Message> messages) {
    StringBuilder text = new StringBuilder();
    StringBuilder thought = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    boolean results = false;
    for (Fields block : message.objects("content")) {
      switch (block.requiredString("type")) {
        case "text" -> text.append(block.requiredString("text"));
        case "thinking" -> thought.append(block.string("thinking").orElse(""));
        case "redacted_thinking" -> {}
        case "tool_use" -> {
          String name = block.requiredString("name");
          String id = block.string("id").orElse("");
          names.put(id, name);
          String arguments = block.object("input").map(i -> i.json().toString()).orElse("{}");
          calls.add(new ToolCall(id, name, arguments));
        }
        case "tool_result" -> {
          String id = block.string("tool_use_id").orElse("");
          ToolCall call = new ToolCall(id, names.getOrDefault(id, ""), "{}");
          messages.add(Message.tool(call, OpenAiOptions.text(block, "content")));
          results = true;
        }
        default ->
            throw ApiError.invalid(
                block.place("type"),
                "The models here take text, tool calls and their results only.");
      }
    }
    if (role.equals("assistant")) {
      Message assistant = Message.assistant(text.toString());
      assistant = thought.isEmpty() ? assistant : assistant.withReasoning(thought.toString());
      messages.add(calls.isEmpty() ? assistant : assistant.withToolCalls(calls));
    } else if (!text.isEmpty() || !results) {
      messages.add(Message.user(text.toString()));
    }
  }

  private static String stopReason(Reply reply) {
    if (!reply.toolCalls().isEmpty()) {
      return "tool_use";
    }
    return switch (reply.generation().finishReason()) {
      case LENGTH -> "max_tokens";
      case STOP_STRING -> "stop_sequence";
      default -> "end_turn";
    };
  }

  private static ObjectNode usage(Generation written) {
    ObjectNode usage = Json.object();
    usage.put("input_tokens", written.promptTokens() - written.reusedTokens());
    usage.put("cache_creation_input_tokens", 0);
    usage.put("cache_read_input_tokens", written.reusedTokens());
    return usage.put("output_tokens", written.tokenIds().length);
  }

  private static ObjectNode message(String id, ServedModel model) {
    ObjectNode message = Json.object().put("id", id).put("type", "message");
    return message.put("role", "assistant").put("model", model.name());
  }

  private static JsonNode arguments(ToolCall call) {
    try {
      return Json.read(call.arguments().getBytes(StandardCharsets.UTF_8));
    } catch (ApiError e) {
      return Json.object(); // the model wrote something else
    }
  }

  private record Whole(Exchange exchange, ServedModel model) implements AnswerForm {
    @Override
    public void complete(List<Reply> replies) {
      Reply reply = replies.get(0);
      ObjectNode answer = message(OpenAiText.id("msg_"), model);
      ArrayNode content = answer.putArray("content");
      reply
          .reasoning()
          .ifPresent(
              thought ->
                  content
                      .addObject()
                      .put("type", "thinking")
                      .put("thinking", thought)
                      .put("signature", ""));
      if (!reply.text().isEmpty() || reply.toolCalls().isEmpty()) {
        content.addObject().put("type", "text").put("text", reply.text());
      }
      for (ToolCall call : reply.toolCalls()) {
        ObjectNode block = content.addObject().put("type", "tool_use").put("id", call.id());
        block.put("name", call.name()).set("input", arguments(call));
      }
      answer.put("stop_reason", stopReason(reply)).putNull("stop_sequence");
      answer.set("usage", usage(reply.generation()));
      exchange.answer(answer);
    }

    @Override
    public void fail(ApiError error) {
      exchange.fail(error);
    }
  }

  /** Blocks that begin, grow and end. */
  private static final class Streamed implements AnswerForm {
    private final Exchange exchange;
    private final ServedModel model;
    private EventSink events; // null before the first
    private int block = -1; // the one that is open, or the last
    private String open = ""; // its type; empty: none

    Streamed(Exchange exchange, ServedModel model) {
      this.exchange = exchange;
      this.model = model;
    }

    @Override
    public void part(int choice, ReplyPart part, List<TokenLogProbability> tokens) {
      begin();
      if (part instanceof ReplyPart.Text text) {
        open("text", Json.object().put("type", "text").put("text", ""));
        delta(Json.object().put("type", "text_delta").put("text", text.text()));
      } else if (part instanceof ReplyPart.Reasoning thought) {
        open(
            "thinking",
            Json.object().put("type", "thinking").put("thinking", "").put("signature", ""));
        delta(Json.object().put("type", "thinking_delta").put("thinking", thought.text()));
      } else if (part instanceof ReplyPart.Call made) {
        closeBlock();
        ObjectNode start = Json.object().put("type", "tool_use").put("id", made.call().id());
        start.put("name", made.call().name()).putObject("input");
        open("tool_use", start);
        String json = made.call().arguments();
        delta(Json.object().put("type", "input_json_delta").put("partial_json", json));
        closeBlock();
      }
    }

    private void begin() {
      if (events == null) {
        events = exchange.stream(Events.TYPE);
        ObjectNode start = Json.object().put("type", "message_start");
        ObjectNode message = message(OpenAiText.id("msg_"), model);
        message.putArray("content");
        message.putNull("stop_reason").putNull("stop_sequence");
        message.putObject("usage").put("input_tokens", 0).put("output_tokens", 0);
        start.set("message", message);
        events.send(Events.event("message_start", start));
      }
    }

    private void open(String type, ObjectNode first) {
      if (open.equals(type)) {
        return;
      }
      closeBlock();
      open = type;
      block++;
      ObjectNode start = Json.object().put("type", "content_block_start").put("index", block);
      start.set("content_block", first);
      events.send(Events.event("content_block_start", start));
    }

    private void delta(ObjectNode delta) {
      ObjectNode event = Json.object().put("type", "content_block_delta").put("index", block);
      event.set("delta", delta);
      events.send(Events.event("content_block_delta", event));
    }

    private void closeBlock() {
      if (!open.isEmpty()) {
        ObjectNode stop = Json.object().put("type", "content_block_stop").put("index", block);
        events.send(Events.event("content_block_stop", stop));
        open = "";
      }
    }

    @Override
    public void complete(List<Reply> replies) {
      begin();
      closeBlock();
      ObjectNode last = Json.object().put("type", "message_delta");
      last.putObject("delta")
          .put("stop_reason", stopReason(replies.get(0)))
          .putNull("stop_sequence");
      last.set("usage", usage(replies.get(0).generation()));
      events.send(Events.event("message_delta", last));
      events.send(Events.event("message_stop", Json.object().put("type", "message_stop")));
      events.end();
    }

    @Override
    public void fail(ApiError error) {
      if (events == null) {
        exchange.fail(error);
      } else {
        events.send(Events.event("error", exchange.errors().body(error)));
        events.end();
      }
    }
  }
}

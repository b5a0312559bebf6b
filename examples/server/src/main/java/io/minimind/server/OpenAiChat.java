package io.minimind.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.TokenLogProbability;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /v1/chat/completions}. */
final class OpenAiChat implements Endpoint {
  private final Models models;
  private final Answering.Server server;

  OpenAiChat(Models models, Answering.Server server) {
    this.models = models;
    this.server = server;
  }

  @Override
  public void answer(Exchange exchange, Fields body) {
    ServedModel model = models.find(body.string("model"));
    List<Message> messages = OpenAiOptions.messages(body);
    ChatOptions options = OpenAiOptions.chat(body, model);
    int answers = OpenAiOptions.answers(body);
    List<Answering.Beginning> beginnings = new ArrayList<>();
    for (int i = 0; i < answers; i++) {
      ChatOptions seeded =
          options.withGeneration(OpenAiOptions.seeded(options.generation(), body, i));
      beginnings.add(() -> Source.of(model.model().streamReply(messages, seeded)));
    }
    boolean logProbabilities = options.generation().logProbabilities().isPresent();
    boolean usage = OpenAiOptions.includesUsage(body);
    AnswerForm form =
        body.flag("stream", false)
            ? new Streamed(exchange, model, answers, logProbabilities, usage)
            : new Whole(exchange, model, logProbabilities);
    Answering.start(exchange, model, server, form, beginnings);
  }

  private static ObjectNode call(ToolCall call) {
    ObjectNode node = Json.object().put("id", call.id()).put("type", "function");
    node.putObject("function").put("name", call.name()).put("arguments", call.arguments());
    return node;
  }

  /** All at once. */
  private record Whole(Exchange exchange, ServedModel model, boolean logProbabilities)
      implements AnswerForm {
    @Override
    public void complete(List<Reply> replies) {
      ObjectNode answer = Json.object().put("id", OpenAiText.id("chatcmpl-"));
      answer.put("object", "chat.completion");
      answer.put("created", Instant.now().getEpochSecond()).put("model", model.name());
      ArrayNode choices = answer.putArray("choices");
      for (Reply reply : replies) {
        ObjectNode choice = choices.addObject().put("index", choices.size() - 1);
        choice.set("message", message(reply));
        choice.set(
            "logprobs",
            logProbabilities
                ? OpenAiText.logProbabilities(
                    reply.generation().logProbabilities(), model.model().tokenizer())
                : null);
        choice.put("finish_reason", OpenAiText.finishReason(reply));
      }
      answer.set("usage", OpenAiText.usage(replies, replies.size()));
      exchange.answer(answer);
    }

    private static ObjectNode message(Reply reply) {
      ObjectNode message = Json.object().put("role", "assistant");
      boolean calls = !reply.toolCalls().isEmpty();
      message.put("content", calls && reply.text().isEmpty() ? null : reply.text());
      message.putNull("refusal");
      reply.reasoning().ifPresent(thought -> message.put("reasoning_content", thought));
      if (calls) {
        ArrayNode all = message.putArray("tool_calls");
        reply.toolCalls().forEach(call -> all.add(call(call)));
      }
      return message;
    }

    @Override
    public void fail(ApiError error) {
      exchange.fail(error);
    }
  }

  /** As events. */
  private static final class Streamed extends OpenAiStream {
    private final boolean logProbabilities;
    private final int[] calls; // that each answer made

    Streamed(
        Exchange exchange,
        ServedModel model,
        int answers,
        boolean logProbabilities,
        boolean usage) {
      super(exchange, model, "chatcmpl-", "chat.completion.chunk", answers, usage);
      this.logProbabilities = logProbabilities;
      calls = new int[answers];
    }

    @Override
    void begin() {
      for (int choice = 0; choice < calls.length; choice++) {
        send(choice, Json.object().put("role", "assistant").put("content", ""), List.of(), null);
      }
    }

    @Override
    public void part(int choice, ReplyPart part, List<TokenLogProbability> tokens) {
      ObjectNode delta = Json.object();
      if (part instanceof ReplyPart.Text text) {
        delta.put("content", text.text());
      } else if (part instanceof ReplyPart.Reasoning thought) {
        delta.put("reasoning_content", thought.text());
      } else if (part instanceof ReplyPart.Call call) {
        ObjectNode made = call(call.call());
        delta.putArray("tool_calls").add(made.put("index", calls[choice]++));
      }
      send(choice, delta, tokens, null);
    }

    @Override
    public void end(int choice, Reply reply) {
      send(choice, Json.object(), List.of(), OpenAiText.finishReason(reply));
    }

    private void send(
        int choice, ObjectNode delta, List<TokenLogProbability> tokens, String finishReason) {
      ObjectNode node = Json.object().put("index", choice);
      node.set("delta", delta);
      node.set(
          "logprobs",
          logProbabilities && !tokens.isEmpty()
              ? OpenAiText.logProbabilities(tokens, model().model().tokenizer())
              : null);
      send(node.put("finish_reason", finishReason));
    }
  }
}

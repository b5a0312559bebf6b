package io.minimind.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.infer.Reply;
import java.time.Instant;
import java.util.List;

/**
 * Answers as OpenAI's events: chunks, the first of which comes with the first part, then the usage
 * if it was asked for, and {@code [DONE]}.
 */
abstract class OpenAiStream implements AnswerForm {
  private final Exchange exchange;
  private final ServedModel model;
  private final int each;
  private final boolean usage;
  private final ObjectNode chunk = Json.object(); // the same but for its choices and usage
  private EventSink events; // null before the first

  /**
   * @param each answers to a prompt
   * @param usage whether the last event tells the tokens
   */
  OpenAiStream(
      Exchange exchange, ServedModel model, String idPrefix, String kind, int each, boolean usage) {
    this.exchange = exchange;
    this.model = model;
    this.each = each;
    this.usage = usage;
    chunk.put("id", OpenAiText.id(idPrefix)).put("object", kind);
    chunk.put("created", Instant.now().getEpochSecond()).put("model", model.name());
    if (usage) {
      chunk.putNull("usage");
    }
  }

  /** Sends what comes before the first part. */
  abstract void begin();

  /** Sends a part of an answer. */
  final void send(ObjectNode choice) {
    if (events == null) {
      events = exchange.stream(Events.TYPE);
      begin();
    }
    chunk.putArray("choices").add(choice);
    events.send(Events.data(chunk));
  }

  final ServedModel model() {
    return model;
  }

  @Override
  public final void complete(List<Reply> replies) {
    if (usage) {
      chunk.putArray("choices");
      chunk.set("usage", OpenAiText.usage(replies, each));
      events.send(Events.data(chunk));
    }
    events.send(OpenAiText.done());
    events.end();
  }

  @Override
  public final void fail(ApiError error) {
    if (events == null) {
      exchange.fail(error);
    } else {
      events.send(Events.data(exchange.errors().body(error)));
      events.end();
    }
  }
}

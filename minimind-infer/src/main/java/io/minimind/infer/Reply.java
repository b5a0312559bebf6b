package io.minimind.infer;

import io.minimind.chat.Message;
import io.minimind.chat.ToolCall;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * An answer in a conversation.
 *
 * @param message what the assistant said, with its reasoning and its calls of tools apart
 * @param generation what the model wrote, and what that took
 */
public record Reply(Message message, Generation generation) {

  public Reply {
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(generation, "generation");
  }

  /** What the assistant said. */
  public String text() {
    return message.content();
  }

  /** What it thought before. */
  public Optional<String> reasoning() {
    return message.reasoning();
  }

  /** The tools that it calls; each wants a message of the role {@code tool} as its answer. */
  public List<ToolCall> toolCalls() {
    return message.toolCalls();
  }
}

package io.minimind.infer;

import io.minimind.chat.ToolCall;

/** A piece of an answer in a conversation. */
public sealed interface ReplyPart {

  /**
   * What the assistant thinks before it speaks.
   *
   * @param text never empty
   */
  record Reasoning(String text) implements ReplyPart {}

  /**
   * What the assistant says.
   *
   * @param text never empty
   */
  record Text(String text) implements ReplyPart {}

  /** A call of a tool, as soon as it is complete. */
  record Call(ToolCall call) implements ReplyPart {}
}

package io.minimind.springai;

import io.minimind.chat.ToolCall;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import java.util.List;
import java.util.Map;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;

/**
 * What an answer is to Spring AI.
 *
 * @param id of the answer
 */
record Responses(String id, String modelName) {

  /** Names what the assistant thought in the properties of its message. */
  static final String REASONING = "reasoningContent";

  /** The whole answer. */
  ChatResponse whole(Reply reply) {
    Map<String, Object> properties =
        reply.reasoning().<Map<String, Object>>map(r -> Map.of(REASONING, r)).orElse(Map.of());
    return response(
        message(reply.text(), properties, reply.toolCalls()), finish(reply), metadata(reply));
  }

  /** A piece of it. */
  ChatResponse piece(ReplyPart part) {
    AssistantMessage message;
    if (part instanceof ReplyPart.Text said) {
      message = message(said.text(), Map.of(), List.of());
    } else if (part instanceof ReplyPart.Reasoning thought) {
      message = message("", Map.of(REASONING, thought.text()), List.of());
    } else {
      message = message("", Map.of(), List.of(((ReplyPart.Call) part).call()));
    }
    return response(
        message,
        ChatGenerationMetadata.NULL,
        ChatResponseMetadata.builder().id(id).model(modelName).build());
  }

  /** What comes behind the pieces. */
  ChatResponse last(Reply reply) {
    return response(message("", Map.of(), List.of()), finish(reply), metadata(reply));
  }

  private static ChatResponse response(
      AssistantMessage message, ChatGenerationMetadata finish, ChatResponseMetadata metadata) {
    return new ChatResponse(List.of(new Generation(message, finish)), metadata);
  }

  private static AssistantMessage message(
      String text, Map<String, Object> properties, List<ToolCall> calls) {
    return AssistantMessage.builder()
        .content(text)
        .properties(properties)
        .toolCalls(
            calls.stream()
                .map(
                    call ->
                        new AssistantMessage.ToolCall(
                            call.id(), "function", call.name(), call.arguments()))
                .toList())
        .build();
  }

  private static ChatGenerationMetadata finish(Reply reply) {
    String reason =
        !reply.toolCalls().isEmpty()
            ? "TOOL_CALLS"
            : switch (reply.generation().finishReason()) {
              case END_OF_TEXT, STOP_STRING -> "STOP";
              case LENGTH -> "LENGTH";
              case CANCELLED -> "CANCELLED";
            };
    return ChatGenerationMetadata.builder().finishReason(reason).build();
  }

  private ChatResponseMetadata metadata(Reply reply) {
    return ChatResponseMetadata.builder()
        .id(id)
        .model(modelName)
        .usage(
            new DefaultUsage(
                reply.generation().promptTokens(), reply.generation().tokenIds().length))
        .build();
  }
}

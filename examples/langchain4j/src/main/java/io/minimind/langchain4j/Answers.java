package io.minimind.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.Generation;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.ReplyStream;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/** Answers requests of langchain4j with a model of this project. */
final class Answers {
  static final Set<Capability> CAPABILITIES = Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);

  private final LanguageModel model;
  private final String modelName;
  private final ChatRequestParameters parameters;
  private final Requests requests;

  /**
   * @throws IllegalArgumentException if the model cannot chat
   */
  Answers(
      LanguageModel model,
      String modelName,
      ChatOptions options,
      ChatRequestParameters parameters) {
    if (!model.canChat()) {
      throw new IllegalArgumentException(
          "The model has no chat template, so it cannot chat; give one that was fine-tuned.");
    }
    this.model = model;
    this.modelName = modelName;
    requests = new Requests(model, modelName, options);
    // Whose name it is, listeners shall know.
    this.parameters =
        ChatRequestParameters.builder().modelName(modelName).build().overrideWith(parameters);
    requests.options(this.parameters); // refuses what cannot be done
  }

  /** Those of requests that do not have them. */
  ChatRequestParameters parameters() {
    return parameters;
  }

  /**
   * Begins an answer, of which nothing is computed yet.
   *
   * @throws dev.langchain4j.exception.UnsupportedFeatureException if the request asks for what
   *     cannot be done
   * @throws InvalidRequestException if it does not fit the model
   * @throws NonRetriableException if the model is closed
   */
  ReplyStream begin(ChatRequest request) {
    try {
      return model.streamReply(
          Requests.messages(request.messages()), requests.options(request.parameters()));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    } catch (IllegalStateException e) {
      throw new NonRetriableException(e.getMessage(), e);
    }
  }

  /**
   * Computes an answer.
   *
   * @param onPart is given its parts
   * @throws InvalidRequestException if the request does not fit the model
   * @throws NonRetriableException if the model is closed or damaged
   */
  static Reply finish(ReplyStream answer, Consumer<ReplyPart> onPart) {
    try {
      answer.forEach(onPart);
      return answer.result();
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    } catch (IllegalStateException e) {
      throw new NonRetriableException(e.getMessage(), e);
    }
  }

  ChatResponse response(Reply reply) {
    Generation generation = reply.generation();
    AiMessage.Builder message =
        AiMessage.builder()
            .toolExecutionRequests(reply.toolCalls().stream().map(Requests::request).toList());
    if (!reply.text().isEmpty() || reply.toolCalls().isEmpty()) {
      message.text(reply.text());
    }
    reply.reasoning().ifPresent(message::thinking);
    return ChatResponse.builder()
        .aiMessage(message.build())
        .id("chat-" + UUID.randomUUID())
        .modelName(modelName)
        .tokenUsage(new TokenUsage(generation.promptTokens(), generation.tokenIds().length))
        .finishReason(finishReason(reply))
        .build();
  }

  private static FinishReason finishReason(Reply reply) {
    if (!reply.toolCalls().isEmpty()) {
      return FinishReason.TOOL_EXECUTION;
    }
    return switch (reply.generation().finishReason()) {
      case END_OF_TEXT, STOP_STRING -> FinishReason.STOP;
      case LENGTH -> FinishReason.LENGTH;
      case CANCELLED -> FinishReason.OTHER;
    };
  }
}

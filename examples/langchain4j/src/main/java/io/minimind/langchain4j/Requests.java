package io.minimind.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What requests of langchain4j are to the SDK. */
final class Requests {
  private final LanguageModel model;
  private final String modelName;
  private final ChatOptions defaults;

  Requests(LanguageModel model, String modelName, ChatOptions defaults) {
    this.model = model;
    this.modelName = modelName;
    this.defaults = defaults;
  }

  /**
   * @throws UnsupportedFeatureException if they ask for what cannot be done
   * @throws IllegalArgumentException if a number is out of its range
   */
  ChatOptions options(ChatRequestParameters parameters) {
    String name = parameters.modelName();
    if (name != null && !name.equals(modelName)) {
      throw new UnsupportedFeatureException(
          "The modelName \"%s\" is not supported: this model is \"%s\"."
              .formatted(name, modelName));
    }
    ChatOptions options = defaults;
    if (!parameters.toolSpecifications().isEmpty()) {
      options =
          options.withTools(parameters.toolSpecifications().stream().map(Requests::tool).toList());
    }
    if (parameters.toolChoice() != null) {
      options = options.withToolChoice(toolChoice(parameters.toolChoice()));
    }
    return options.withGeneration(generation(options.generation(), parameters));
  }

  private GenerationOptions generation(
      GenerationOptions options, ChatRequestParameters parameters) {
    if (parameters.temperature() != null) {
      options = options.withTemperature(parameters.temperature());
    }
    if (parameters.topP() != null) {
      options = options.withTopP(parameters.topP());
    }
    if (parameters.topK() != null) {
      options = options.withTopK(parameters.topK());
    }
    if (parameters.frequencyPenalty() != null) {
      options = options.withFrequencyPenalty(parameters.frequencyPenalty());
    }
    if (parameters.presencePenalty() != null) {
      options = options.withPresencePenalty(parameters.presencePenalty());
    }
    if (parameters.maxOutputTokens() != null) {
      options = options.withMaxNewTokens(parameters.maxOutputTokens());
    }
    if (!parameters.stopSequences().isEmpty()) {
      options = options.withStopStrings(parameters.stopSequences().toArray(String[]::new));
    }
    ResponseFormat format = parameters.responseFormat();
    return format != null && format.type() == ResponseFormatType.JSON
        ? options.withConstraint(model.constraints().jsonSchema(schema(format)))
        : options;
  }

  private static String schema(ResponseFormat format) {
    return format.jsonSchema() == null
        ? "{\"type\": \"object\"}"
        : Json.toJson(JsonSchemaElementUtils.toMap(format.jsonSchema().rootElement()));
  }

  private static ToolChoice toolChoice(dev.langchain4j.model.chat.request.ToolChoice choice) {
    return switch (choice) {
      case AUTO -> ToolChoice.auto();
      case REQUIRED -> ToolChoice.required();
      case NONE -> ToolChoice.none();
    };
  }

  /** A tool as templates see it. */
  static Tool tool(ToolSpecification tool) {
    JsonObjectSchema parameters =
        tool.parameters() == null ? JsonObjectSchema.builder().build() : tool.parameters();
    return new Tool(
        tool.name(), orEmpty(tool.description()), JsonSchemaElementUtils.toMap(parameters));
  }

  /**
   * @throws UnsupportedFeatureException if one holds something that is no text
   */
  static List<Message> messages(List<ChatMessage> messages) {
    return messages.stream().map(Requests::message).toList();
  }

  private static Message message(ChatMessage message) {
    if (message instanceof SystemMessage system) {
      return Message.system(system.text());
    }
    if (message instanceof UserMessage user) {
      return Message.user(text(user.contents()));
    }
    if (message instanceof AiMessage ai) {
      return assistant(ai);
    }
    if (message instanceof ToolExecutionResultMessage result) {
      ToolCall call = new ToolCall(orEmpty(result.id()), orEmpty(result.toolName()), "{}");
      return Message.tool(call, text(result.contents()));
    }
    throw new UnsupportedFeatureException(
        "Messages of the type %s are not supported.".formatted(message.type()));
  }

  private static Message assistant(AiMessage ai) {
    Message message = Message.assistant(orEmpty(ai.text()));
    if (ai.thinking() != null) {
      message = message.withReasoning(ai.thinking());
    }
    List<ToolCall> calls = new ArrayList<>();
    for (ToolExecutionRequest call : ai.toolExecutionRequests()) {
      calls.add(new ToolCall(orEmpty(call.id()), call.name(), orEmpty(call.arguments())));
    }
    return calls.isEmpty() ? message : message.withToolCalls(calls);
  }

  private static String text(List<Content> contents) {
    List<String> texts = new ArrayList<>();
    for (Content content : contents) {
      if (!(content instanceof TextContent text)) {
        throw new UnsupportedFeatureException(
            "Contents of the type %s are not supported: this model reads text only."
                .formatted(content.type().name().toLowerCase(Locale.ROOT)));
      }
      texts.add(text.text());
    }
    return String.join("\n", texts);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  /** A call as langchain4j has it. */
  static ToolExecutionRequest request(ToolCall call) {
    return ToolExecutionRequest.builder()
        .id(call.id())
        .name(call.name())
        .arguments(call.arguments())
        .build();
  }
}

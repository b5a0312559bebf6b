package io.minimind.springai;

import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.util.ArrayList;
import java.util.List;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;

/** What prompts of Spring AI are to the SDK. */
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
   * @param given null if the prompt has none
   * @throws IllegalArgumentException if a number is out of its range, or another model is named
   */
  ChatOptions options(org.springframework.ai.chat.prompt.ChatOptions given) {
    if (given == null) {
      return defaults;
    }
    if (given.getModel() != null && !given.getModel().equals(modelName)) {
      throw new IllegalArgumentException(
          "The prompt is for the model \"%s\", but this model is \"%s\"."
              .formatted(given.getModel(), modelName));
    }
    ChatOptions options = defaults;
    if (given instanceof ToolCallingChatOptions calling && !calling.getToolCallbacks().isEmpty()) {
      options =
          options.withTools(
              calling.getToolCallbacks().stream()
                  .map(ToolCallback::getToolDefinition)
                  .map(Requests::tool)
                  .toList());
    }
    GenerationOptions generation = generation(options.generation(), given);
    if (given instanceof StructuredOutputChatOptions form
        && form.getOutputSchema() != null
        && !form.getOutputSchema().isBlank()) {
      generation =
          generation.withConstraint(model.constraints().jsonSchema(form.getOutputSchema()));
    }
    return options.withGeneration(generation);
  }

  private static GenerationOptions generation(
      GenerationOptions options, org.springframework.ai.chat.prompt.ChatOptions given) {
    if (given.getTemperature() != null) {
      options = options.withTemperature(given.getTemperature());
    }
    if (given.getTopP() != null) {
      options = options.withTopP(given.getTopP());
    }
    if (given.getTopK() != null) {
      options = options.withTopK(given.getTopK());
    }
    if (given.getFrequencyPenalty() != null) {
      options = options.withFrequencyPenalty(given.getFrequencyPenalty());
    }
    if (given.getPresencePenalty() != null) {
      options = options.withPresencePenalty(given.getPresencePenalty());
    }
    if (given.getMaxTokens() != null) {
      options = options.withMaxNewTokens(given.getMaxTokens());
    }
    if (given.getStopSequences() != null && !given.getStopSequences().isEmpty()) {
      options = options.withStopStrings(given.getStopSequences().toArray(String[]::new));
    }
    return options;
  }

  private static Tool tool(ToolDefinition tool) {
    return Tool.of(tool.name(), tool.description(), tool.inputSchema());
  }

  /**
   * @throws IllegalArgumentException if one holds media
   */
  static List<Message> messages(List<org.springframework.ai.chat.messages.Message> messages) {
    List<Message> all = new ArrayList<>();
    for (org.springframework.ai.chat.messages.Message message : messages) {
      if (message instanceof AssistantMessage assistant) {
        all.add(assistant(assistant));
      } else if (message instanceof ToolResponseMessage results) {
        for (ToolResponseMessage.ToolResponse result : results.getResponses()) {
          ToolCall call = new ToolCall(orEmpty(result.id()), result.name(), "{}");
          all.add(Message.tool(call, orEmpty(result.responseData())));
        }
      } else {
        if (message instanceof UserMessage user && !user.getMedia().isEmpty()) {
          throw new IllegalArgumentException("A message holds media, but this model reads text.");
        }
        all.add(Message.of(message.getMessageType().getValue(), orEmpty(message.getText())));
      }
    }
    return all;
  }

  private static Message assistant(AssistantMessage given) {
    Message message = Message.assistant(orEmpty(given.getText()));
    if (given.getMetadata().get(Responses.REASONING) instanceof String thought) {
      message = message.withReasoning(thought);
    }
    List<ToolCall> calls =
        given.getToolCalls().stream()
            .map(call -> new ToolCall(orEmpty(call.id()), call.name(), orEmpty(call.arguments())))
            .toList();
    return calls.isEmpty() ? message : message.withToolCalls(calls);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }
}

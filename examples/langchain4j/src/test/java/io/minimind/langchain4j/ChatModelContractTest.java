package io.minimind.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import java.util.List;

/** langchain4j's own contract of chat models. */
class ChatModelContractTest extends AbstractChatModelIT {
  static final ChatOptions GREEDY =
      ChatOptions.defaults().withGeneration(GenerationOptions.greedy());

  @Override
  protected List<ChatModel> models() {
    return List.of(MiniMindChatModel.builder(TaughtModel.get()).options(GREEDY).build());
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return MiniMindChatModel.builder(TaughtModel.get())
        .options(GREEDY)
        .defaultRequestParameters(parameters)
        .build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return ChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
  }

  // A model has its own name and reads text.

  @Override
  protected boolean supportsModelNameParameter() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsBase64EncodedString() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }
}

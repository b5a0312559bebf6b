package io.minimind.langchain4j;

import static org.mockito.ArgumentMatchers.any;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import org.mockito.InOrder;

/** langchain4j's own contract of streaming chat models. */
class StreamingChatModelContractTest extends AbstractStreamingChatModelIT {

  @Override
  protected List<StreamingChatModel> models() {
    return List.of(builder().build());
  }

  private static MiniMindStreamingChatModel.Builder builder() {
    return MiniMindStreamingChatModel.builder(TaughtModel.get())
        .options(ChatModelContractTest.GREEDY);
  }

  @Override
  public StreamingChatModel createModelWith(ChatModelListener listener) {
    return builder().listeners(List.of(listener)).build();
  }

  @Override
  protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
    return builder().defaultRequestParameters(parameters).build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return ChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
  }

  // Calls of tools come when they are complete.

  @Override
  protected void verifyToolCallbacks(
      StreamingChatResponseHandler handler, InOrder order, String id) {
    order
        .verify(handler)
        .onCompleteToolCall(complete(0, id, "getWeather", "{\"city\":\"Munich\"}"));
  }

  @Override
  protected void verifyToolCallbacks(
      StreamingChatResponseHandler handler, InOrder order, StreamingChatModel model) {
    order.verify(handler).onCompleteToolCall(any());
  }

  @Override
  protected void verifyToolCallbacks(
      StreamingChatResponseHandler handler, InOrder order, String first, String second) {
    verifyToolCallbacks(handler, order, first);
    order
        .verify(handler)
        .onCompleteToolCall(complete(1, second, "getTime", "{\"country\":\"France\"}"));
  }

  @Override
  protected boolean supportsPartialToolStreaming(StreamingChatModel model) {
    return false;
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

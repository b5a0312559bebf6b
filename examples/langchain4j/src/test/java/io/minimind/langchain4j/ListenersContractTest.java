package io.minimind.langchain4j;

import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.minimind.infer.LanguageModel;
import java.util.List;
import org.junit.jupiter.api.Nested;

/** langchain4j's own contract of who listens to chat models. */
class ListenersContractTest {
  private static final String NAME = "taught";

  private static ChatRequestParameters parameters(double temperature, double topP, int most) {
    return ChatRequestParameters.builder()
        .temperature(temperature)
        .topP(topP)
        .maxOutputTokens(most)
        .build();
  }

  @Nested
  class OfWholeAnswers extends AbstractChatModelListenerIT {
    private MiniMindChatModel.Builder builder(LanguageModel model, ChatModelListener listener) {
      return MiniMindChatModel.builder(model)
          .modelName(NAME)
          .defaultRequestParameters(parameters(temperature(), topP(), maxTokens()))
          .listeners(List.of(listener));
    }

    @Override
    protected ChatModel createModel(ChatModelListener listener) {
      return builder(TaughtModel.get(), listener).build();
    }

    @Override
    protected String modelName() {
      return NAME;
    }

    @Override
    protected ChatModel createFailingModel(ChatModelListener listener) {
      LanguageModel model = TaughtModel.open();
      ChatModel failing = builder(model, listener).build();
      model.close();
      return failing;
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
      return NonRetriableException.class;
    }
  }

  @Nested
  class OfStreams extends AbstractStreamingChatModelListenerIT {
    private MiniMindStreamingChatModel.Builder builder(
        LanguageModel model, ChatModelListener listener) {
      return MiniMindStreamingChatModel.builder(model)
          .modelName(NAME)
          .defaultRequestParameters(parameters(temperature(), topP(), maxTokens()))
          .listeners(List.of(listener));
    }

    @Override
    protected StreamingChatModel createModel(ChatModelListener listener) {
      return builder(TaughtModel.get(), listener).build();
    }

    @Override
    protected String modelName() {
      return NAME;
    }

    @Override
    protected StreamingChatModel createFailingModel(ChatModelListener listener) {
      LanguageModel model = TaughtModel.open();
      StreamingChatModel failing = builder(model, listener).build();
      model.close();
      return failing;
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
      return NonRetriableException.class;
    }
  }
}

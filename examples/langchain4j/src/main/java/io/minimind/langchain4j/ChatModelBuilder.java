package io.minimind.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.LanguageModel;
import java.util.List;
import java.util.Objects;

/**
 * What both kinds of chat models are made of.
 *
 * @param <B> the builder itself
 */
abstract class ChatModelBuilder<B extends ChatModelBuilder<B>> {
  private final LanguageModel model;
  private String modelName = "minimind";
  private ChatOptions options = ChatOptions.defaults();
  private ChatRequestParameters parameters = ChatRequestParameters.builder().build();
  private List<ChatModelListener> listeners = List.of();

  ChatModelBuilder(LanguageModel model) {
    this.model = Objects.requireNonNull(model, "model");
  }

  /** What the model is called in answers (default: {@code minimind}). */
  public B modelName(String value) {
    modelName = Objects.requireNonNull(value, "modelName");
    return self();
  }

  /**
   * How answers are chosen where the parameters of a request do not say (default: the defaults of
   * the SDK). Here is what langchain4j has no parameter for: seeds, min-p, whether to think.
   */
  public B options(ChatOptions value) {
    options = Objects.requireNonNull(value, "options");
    return self();
  }

  /** Parameters of requests that do not have them (default: none). */
  public B defaultRequestParameters(ChatRequestParameters value) {
    parameters = Objects.requireNonNull(value, "defaultRequestParameters");
    return self();
  }

  /** Who is told of requests and answers (default: nobody). */
  public B listeners(List<ChatModelListener> value) {
    listeners = List.copyOf(value);
    return self();
  }

  abstract B self();

  List<ChatModelListener> listeners() {
    return listeners;
  }

  Answers answers() {
    return new Answers(model, modelName, options, parameters);
  }
}

package io.minimind.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyStream;
import java.util.List;
import java.util.Set;

/**
 * A model of this project as a {@link ChatModel}.
 *
 * <pre>{@code
 * try (LanguageModel language = LanguageModel.load(Path.of("out/model"))) {
 *   ChatModel model = MiniMindChatModel.builder(language).build();
 *   System.out.println(model.chat("What is the longest river?"));
 * }
 * }</pre>
 *
 * <p>Tools, and JSON with or without a schema, work with any model that chats: where a tool must be
 * called, or JSON be written, a constraint leaves the model no other choice. What it cannot do, it
 * refuses with an {@link dev.langchain4j.exception.UnsupportedFeatureException}: contents other
 * than text, and another model's name. Several threads may use it at the same time.
 */
public final class MiniMindChatModel implements ChatModel {
  private final Answers answers;
  private final List<ChatModelListener> listeners;

  private MiniMindChatModel(Builder builder) {
    answers = builder.answers();
    listeners = builder.listeners();
  }

  /**
   * @param model one that can chat; it stays its owner's
   */
  public static Builder builder(LanguageModel model) {
    return new Builder(model);
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    try (ReplyStream answer = answers.begin(request)) {
      Reply reply = Answers.finish(answer, part -> {});
      return answers.response(reply);
    }
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return answers.parameters();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Answers.CAPABILITIES;
  }

  /** What a chat model is to be. */
  public static final class Builder extends ChatModelBuilder<Builder> {
    private Builder(LanguageModel model) {
      super(model);
    }

    @Override
    Builder self() {
      return this;
    }

    /**
     * @throws IllegalArgumentException if the model cannot chat
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if a default asks for what
     *     cannot be done
     */
    public MiniMindChatModel build() {
      return new MiniMindChatModel(this);
    }
  }
}

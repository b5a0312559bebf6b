package io.minimind.langchain4j;

import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialThinking;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.withLoggingExceptions;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.ReplyStream;
import java.util.List;
import java.util.Set;

/**
 * A model of this project as a {@link StreamingChatModel}, which does all that a {@link
 * MiniMindChatModel} does. Each answer is handed out on a thread of its own. An answer that is
 * cancelled ends at its next token; its handler is told nothing any more.
 */
public final class MiniMindStreamingChatModel implements StreamingChatModel {
  private final Answers answers;
  private final List<ChatModelListener> listeners;

  private MiniMindStreamingChatModel(Builder builder) {
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
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    ReplyStream answer = answers.begin(request);
    Thread thread = new Thread(() -> new Handing(answer, handler).run(), "minimind-answer");
    thread.setDaemon(true);
    thread.start();
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

  /** Hands out an answer, and lets its handler cancel it. */
  private final class Handing implements StreamingHandle {
    private final ReplyStream answer;
    private final StreamingChatResponseHandler handler;
    private int calls;
    private volatile boolean cancelled;

    Handing(ReplyStream answer, StreamingChatResponseHandler handler) {
      this.answer = answer;
      this.handler = handler;
    }

    void run() {
      try (answer) {
        Reply reply = Answers.finish(answer, this::part);
        if (!cancelled) {
          onCompleteResponse(handler, answers.response(reply));
        }
      } catch (RuntimeException | Error e) {
        withLoggingExceptions(() -> handler.onError(e));
      }
    }

    private void part(ReplyPart part) {
      if (cancelled) {
        return;
      }
      if (part instanceof ReplyPart.Text said) {
        onPartialResponse(handler, said.text(), this);
      } else if (part instanceof ReplyPart.Reasoning thought) {
        onPartialThinking(handler, thought.text(), this);
      } else if (part instanceof ReplyPart.Call made) {
        onCompleteToolCall(handler, new CompleteToolCall(calls++, Requests.request(made.call())));
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
      answer.cancel();
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }
  }

  /** What a streaming chat model is to be. */
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
    public MiniMindStreamingChatModel build() {
      return new MiniMindStreamingChatModel(this);
    }
  }
}

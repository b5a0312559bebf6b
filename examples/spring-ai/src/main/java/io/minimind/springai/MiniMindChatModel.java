package io.minimind.springai;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyStream;
import java.util.Objects;
import java.util.UUID;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * A model of this project as a {@link ChatModel}.
 *
 * <pre>{@code
 * try (LanguageModel language = LanguageModel.load(Path.of("out/model"))) {
 *   ChatModel model = MiniMindChatModel.builder(language).build();
 *   System.out.println(model.call("What is the longest river?"));
 * }
 * }</pre>
 *
 * <p>Options of a prompt go before those of the model. Beside those of {@link ChatOptions}, tools
 * are taken from {@link ToolCallingChatOptions}, and what they return is up to the caller, as
 * Spring AI has it; {@link org.springframework.ai.model.tool.StructuredOutputChatOptions} hold an
 * answer to JSON of a schema, which then always parses. A prompt that does not fit, names another
 * model or holds media is refused with an {@link IllegalArgumentException}. Several threads may use
 * it at the same time.
 */
public final class MiniMindChatModel implements ChatModel {
  private static final String PROVIDER = "minimind";

  private final LanguageModel model;
  private final String modelName;
  private final Requests requests;
  private final ObservationRegistry observations;

  private MiniMindChatModel(Builder builder) {
    model = builder.model;
    modelName = builder.modelName;
    requests = new Requests(model, modelName, builder.options);
    observations = builder.observations;
    if (!model.canChat()) {
      throw new IllegalArgumentException(
          "The model has no chat template, so it cannot chat; give one that was fine-tuned.");
    }
  }

  /**
   * @param model one that can chat; it stays its owner's, to be closed after this
   */
  public static Builder builder(LanguageModel model) {
    return new Builder(model);
  }

  @Override
  public ChatResponse call(Prompt prompt) {
    ChatModelObservationContext context = context(prompt, false);
    return Objects.requireNonNull(
        observation(context)
            .observe(
                () -> {
                  try (ReplyStream answer = begin(prompt)) {
                    ChatResponse response = responses().whole(answer.result());
                    context.setResponse(response);
                    return response;
                  }
                }));
  }

  /**
   * An answer in pieces, computed as they are asked for, on a thread that may wait; the last piece
   * has no text, but the finish reason and the usage. Cancelling ends it at its next token.
   */
  @Override
  public Flux<ChatResponse> stream(Prompt prompt) {
    return Flux.deferContextual(
        view -> {
          ChatModelObservationContext context = context(prompt, true);
          Observation observation = observation(context);
          observation.parentObservation(
              view.<Observation>getOrDefault(ObservationThreadLocalAccessor.KEY, null));
          observation.start();
          return pieces(prompt, context)
              .doOnError(observation::error)
              .doFinally(signal -> observation.stop());
        });
  }

  private Flux<ChatResponse> pieces(Prompt prompt, ChatModelObservationContext context) {
    Responses responses = responses();
    return Flux.using(
            () -> begin(prompt),
            answer ->
                Flux.fromIterable(answer)
                    .map(responses::piece)
                    .concatWith(
                        Mono.fromCallable(
                            () -> {
                              Reply reply = answer.result();
                              context.setResponse(responses.whole(reply));
                              return responses.last(reply);
                            })),
            ReplyStream::close)
        .subscribeOn(Schedulers.boundedElastic());
  }

  private ReplyStream begin(Prompt prompt) {
    return model.streamReply(
        Requests.messages(prompt.getInstructions()), requests.options(prompt.getOptions()));
  }

  private Responses responses() {
    return new Responses("chat-" + UUID.randomUUID(), modelName);
  }

  private static ChatModelObservationContext context(Prompt prompt, boolean streaming) {
    return ChatModelObservationContext.builder()
        .prompt(prompt)
        .provider(PROVIDER)
        .streaming(streaming)
        .build();
  }

  private Observation observation(ChatModelObservationContext context) {
    return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(
        null, new DefaultChatModelObservationConvention(), () -> context, observations);
  }

  /** The options of the model as Spring AI knows them. */
  @Override
  public ChatOptions getOptions() {
    return ToolCallingChatOptions.builder().model(modelName).build();
  }

  /** What a chat model is to be. */
  public static final class Builder {
    private final LanguageModel model;
    private String modelName = "minimind";
    private io.minimind.infer.ChatOptions options = io.minimind.infer.ChatOptions.defaults();
    private ObservationRegistry observations = ObservationRegistry.NOOP;

    private Builder(LanguageModel model) {
      this.model = Objects.requireNonNull(model, "model");
    }

    /** What the model is called in answers (default: {@code minimind}). */
    public Builder modelName(String value) {
      modelName = Objects.requireNonNull(value, "modelName");
      return this;
    }

    /**
     * How answers are chosen where the options of a prompt do not say (default: the defaults of the
     * SDK). Here is what Spring AI has no option for: seeds, min-p, whether to think, whether a
     * tool must be called.
     */
    public Builder options(io.minimind.infer.ChatOptions value) {
      options = Objects.requireNonNull(value, "options");
      return this;
    }

    /** Who observes calls (default: nobody). */
    public Builder observationRegistry(ObservationRegistry value) {
      observations = Objects.requireNonNull(value, "observationRegistry");
      return this;
    }

    /**
     * @throws IllegalArgumentException if the model cannot chat
     */
    public MiniMindChatModel build() {
      return new MiniMindChatModel(this);
    }
  }
}

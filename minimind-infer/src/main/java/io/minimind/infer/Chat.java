package io.minimind.infer;

import io.minimind.chat.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A conversation with a model. It keeps what the model computed, so that a turn computes only what
 * is new since the last one.
 *
 * <pre>{@code
 * try (Chat chat = model.chat(ChatOptions.defaults().withSystemPrompt("Be brief."))) {
 *   System.out.println(chat.send("What is the longest river?").text());
 *   System.out.println(chat.send("And how long is it?").text());
 * }
 * }</pre>
 *
 * <p>When the conversation outgrows its budget, the oldest turns are dropped, each a question with
 * its answer; the system prompt stays. The budget must hold the conversation and an answer of
 * {@code maxNewTokens}, or of half the budget if that is less.
 *
 * <p>A {@linkplain io.minimind.tokenizer.Tokenizer#specialTokens special token} that is spelled out
 * in a message or in the system prompt is ordinary text there: it cannot end the message or forge
 * another. In answers, special tokens count.
 *
 * <p>One thread at a time may use a chat; several chats of one model may run at the same time.
 */
public final class Chat implements AutoCloseable {
  private final LanguageModel model;
  private final ConversationEncoder encoder;
  private final GenerationOptions generation;
  private final int budget;
  private final ChatBuffers buffers;
  private final int pinned; // messages at the beginning that stay
  private List<Message> history = new ArrayList<>();
  private List<Message> unanswered = List.of(); // the history if the answer fails
  private boolean answering;
  private boolean closed;

  Chat(
      LanguageModel model,
      DecoderPool pool,
      Function<List<Message>, String> template,
      ChatOptions options) {
    this.model = model;
    encoder = new ConversationEncoder(model.tokenizer(), template);
    generation = options.generation();
    budget = Math.min(model.contextLength(), options.tokenBudget().orElse(Integer.MAX_VALUE));
    buffers = new ChatBuffers(pool);
    options.systemPrompt().map(Message::system).ifPresent(history::add);
    pinned = history.size();
  }

  /** The conversation as the model last saw it, with its last answer, but without dropped turns. */
  public List<Message> history() {
    return List.copyOf(history);
  }

  /**
   * Says something and waits for the answer.
   *
   * @throws IllegalArgumentException if the message is longer than the budget
   * @throws IllegalStateException if the chat or its model is closed, or an answer is still being
   *     streamed
   */
  public Generation send(String message) {
    return send(message, piece -> true);
  }

  /**
   * Says something and hands out the answer as it grows.
   *
   * @param onText as in {@link LanguageModel#generate(String, GenerationOptions, Predicate)}
   * @throws IllegalArgumentException if the message is longer than the budget
   * @throws IllegalStateException if the chat or its model is closed, or an answer is still being
   *     streamed
   */
  public Generation send(String message, Predicate<String> onText) {
    Objects.requireNonNull(onText, "onText");
    try (TextStream answer = stream(message)) {
      return answer.result(onText);
    }
  }

  /**
   * Says something. The answer becomes part of the conversation when it has been read to its end,
   * or the stream is closed; before that, nothing else can be said. If it fails, or is closed
   * before its first token, the message is as if never said.
   *
   * @throws IllegalArgumentException if the message is longer than the budget
   * @throws IllegalStateException if the chat or its model is closed, or an answer is still being
   *     streamed
   */
  public TextStream stream(String message) {
    Objects.requireNonNull(message, "message");
    if (closed) {
      throw new IllegalStateException("The chat is closed.");
    }
    if (answering) {
      throw new IllegalStateException(
          "The chat's last answer is still being written; read its stream to the end or close it.");
    }
    List<Message> asked = new ArrayList<>(history);
    asked.add(Message.user(message));
    int[] promptIds = fit(asked);
    int most = Math.min(generation.maxNewTokens(), budget - promptIds.length);
    TextStream answer =
        model.stream(promptIds, generation.withMaxNewTokens(most), buffers, this::answered);
    unanswered = history;
    history = asked;
    answering = true;
    return answer;
  }

  private void answered(Optional<Generation> answer) {
    answering = false;
    if (answer.filter(Chat::isUnbegun).isPresent()) {
      history = unanswered;
    } else if (answer.isPresent()) {
      history.add(Message.assistant(answer.get().text()));
    } else {
      history = unanswered;
      buffers.clear();
    }
  }

  private static boolean isUnbegun(Generation answer) {
    return answer.finishReason() == FinishReason.CANCELLED && answer.tokenIds().length == 0;
  }

  /** Drops the oldest turns until the rest leaves room for an answer. */
  private int[] fit(List<Message> messages) {
    int room = Math.min(generation.maxNewTokens(), budget / 2);
    int[] ids = encoder.encode(messages);
    while (ids.length + room > budget && pinned + 1 < messages.size()) {
      do {
        messages.remove(pinned);
      } while (!messages.get(pinned).role().equals("user"));
      ids = encoder.encode(messages);
    }
    if (ids.length >= budget) {
      throw new IllegalArgumentException(
          "The message has, with all that must stand before it, %d tokens, which leaves no room for an answer in the chat's budget of %d; shorten it."
              .formatted(ids.length, budget));
    }
    return ids;
  }

  /** Frees what the model computed. An answer that is still being written must be closed before. */
  @Override
  public void close() {
    closed = true;
    buffers.close();
  }
}

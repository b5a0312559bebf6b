package io.minimind.infer;

import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

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
  private final Conversations conversations;
  private final int budget;
  private final ChatBuffers buffers;
  private final int pinned; // messages at the beginning that stay
  private List<Message> history = new ArrayList<>();
  private List<Message> unanswered = List.of(); // the history if the answer fails
  private boolean answering;
  private boolean closed;

  Chat(LanguageModel model, DecoderPool pool, Conversations conversations, ChatOptions options) {
    this.model = model;
    this.conversations = conversations;
    budget = Math.min(model.contextLength(), options.tokenBudget().orElse(Integer.MAX_VALUE));
    buffers = new ChatBuffers(pool);
    options.systemPrompt().map(Message::system).ifPresent(history::add);
    history.addAll(options.messages());
    int first = 0;
    while (first < history.size() && history.get(first).role().equals("system")) {
      first++;
    }
    pinned = first;
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
  public Reply send(String message) {
    return send(message, part -> {});
  }

  /**
   * Says something and hands out the answer as it grows.
   *
   * @param onPart takes the next part, on this thread; {@link #stream} can also be cancelled
   * @throws IllegalArgumentException if the message is longer than the budget
   * @throws IllegalStateException if the chat or its model is closed, or an answer is still being
   *     streamed
   */
  public Reply send(String message, Consumer<ReplyPart> onPart) {
    Objects.requireNonNull(onPart, "onPart");
    try (ReplyStream answer = stream(message)) {
      return answer.result(onPart);
    }
  }

  /**
   * Adds messages, such as what the tools gave back that the last answer called, and waits for the
   * answer.
   *
   * @param messages at least one
   * @throws IllegalArgumentException if the messages are longer than the budget
   * @throws IllegalStateException as for {@link #send(String)}
   */
  public Reply send(List<Message> messages) {
    try (ReplyStream answer = stream(messages)) {
      return answer.result();
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
  public ReplyStream stream(String message) {
    return stream(List.of(Message.user(message)));
  }

  /**
   * Adds messages, as {@link #stream(String)} does.
   *
   * @param messages at least one
   * @throws IllegalArgumentException if there is none, or they are longer than the budget
   * @throws IllegalStateException as for {@link #stream(String)}
   */
  public ReplyStream stream(List<Message> messages) {
    if (messages.isEmpty()) {
      throw new ArgumentException("There is no message to answer; give at least one.");
    }
    if (closed) {
      throw new IllegalStateException("The chat is closed.");
    }
    if (answering) {
      throw new IllegalStateException(
          "The chat's last answer is still being written; read its stream to the end or close it.");
    }
    List<Message> asked = new ArrayList<>(history);
    asked.addAll(messages);
    ConversationEncoder.Prompt prompt = fit(asked);
    int most = budget - prompt.ids().length;
    most = Math.min(conversations.generation().maxNewTokens(), most);
    Supplier<ReplyParser> parsers = conversations.parsers(prompt);
    TextStream answer =
        model.stream(
            prompt.ids(),
            conversations.generation(prompt, most),
            buffers,
            written -> answered(written, parsers.get()));
    unanswered = history;
    history = asked;
    answering = true;
    return new ReplyStream(answer, parsers);
  }

  private void answered(Optional<Generation> answer, ReplyParser parser) {
    answering = false;
    if (answer.filter(Chat::isUnbegun).isPresent()) {
      history = unanswered;
    } else if (answer.isPresent()) {
      history.add(parser.message(answer.get().text()));
    } else {
      history = unanswered;
      buffers.clear();
    }
  }

  private static boolean isUnbegun(Generation answer) {
    return answer.finishReason() == FinishReason.CANCELLED && answer.tokenIds().length == 0;
  }

  /** Drops the oldest turns until the rest leaves room for an answer. */
  private ConversationEncoder.Prompt fit(List<Message> messages) {
    int room = Math.min(conversations.generation().maxNewTokens(), budget / 2);
    ConversationEncoder.Prompt prompt = conversations.prompt(messages);
    for (int second = secondTurn(messages);
        prompt.ids().length + room > budget && second < messages.size();
        second = secondTurn(messages)) {
      messages.subList(pinned, second).clear();
      prompt = conversations.prompt(messages);
    }
    if (prompt.ids().length >= budget) {
      throw new ContextLengthException(
          "The message has, with all that must stand before it, %d tokens, which leaves no room for an answer in the chat's budget of %d; shorten it."
              .formatted(prompt.ids().length, budget));
    }
    return prompt;
  }

  /** Where a user speaks for the second time, or the number of messages. */
  private int secondTurn(List<Message> messages) {
    int at = Math.min(pinned + 1, messages.size());
    while (at < messages.size() && !messages.get(at).role().equals("user")) {
      at++;
    }
    return at;
  }

  /** Frees what the model computed. An answer that is still being written must be closed before. */
  @Override
  public void close() {
    closed = true;
    buffers.close();
  }
}

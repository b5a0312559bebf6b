package io.minimind.examples.chat;

import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What was said, and how it goes on. */
public final class Conversation implements AutoCloseable {
  private final LanguageModel model;
  private final int turns;
  private final List<Message> said = new ArrayList<>();
  private Optional<String> systemPrompt = Optional.empty();
  private ChatOptions options;
  private Chat chat; // of what was said; null where that or the options have changed

  /**
   * @param options how it goes on
   * @param turns the most questions, with their answers, of which the model is told with a new one;
   *     whatever does not fit into its context is left out besides
   */
  public Conversation(LanguageModel model, ChatOptions options, int turns) {
    this.model = model;
    this.options = options;
    this.turns = turns;
  }

  /** Says something; {@link #answered} must follow if there is an answer. */
  ReplyStream ask(String message) {
    if (chat == null || turns(chat.history()) > turns) {
      forget();
      List<Message> told = new ArrayList<>();
      systemPrompt.map(Message::system).ifPresent(told::add);
      told.addAll(said.subList(firstOfTurns(), said.size()));
      chat = model.chat(options.withMessages(told));
    }
    return chat.stream(message);
  }

  private static long turns(List<Message> messages) {
    return messages.stream().filter(message -> message.role().equals("user")).count();
  }

  private int firstOfTurns() {
    int left = turns;
    int at = said.size();
    for (int i = said.size() - 1; i >= 0 && left > 0; i--) {
      if (said.get(i).role().equals("user")) {
        at = i;
        left--;
      }
    }
    return at;
  }

  /** Makes a message and the answer to it part of the conversation. */
  void answered(String message, Reply reply) {
    if (reply.generation().tokenIds().length > 0) { // as a chat has it
      said.add(Message.user(message));
      said.add(reply.message());
    }
  }

  /** All that was said, the system prompt included. */
  List<Message> messages() {
    List<Message> all = new ArrayList<>();
    systemPrompt.map(Message::system).ifPresent(all::add);
    all.addAll(said);
    return all;
  }

  /** Begins anew with what another conversation was. */
  void replace(List<Message> messages) {
    boolean system = !messages.isEmpty() && messages.get(0).role().equals("system");
    systemPrompt = system ? Optional.of(messages.get(0).content()) : Optional.empty();
    said.clear();
    said.addAll(messages.subList(system ? 1 : 0, messages.size()));
    forget();
  }

  /** Forgets what was said, but for the system prompt. */
  void reset() {
    said.clear();
    forget();
  }

  Optional<String> systemPrompt() {
    return systemPrompt;
  }

  /** Puts a text before all that was said, in place of the one before. */
  public void systemPrompt(Optional<String> value) {
    systemPrompt = value;
    forget();
  }

  GenerationOptions generation() {
    return options.generation();
  }

  void generation(UnaryOperator<GenerationOptions> change) {
    options = options.withGeneration(change.apply(options.generation()));
    forget();
  }

  /**
   * Whether the model thinks before it answers.
   *
   * @throws IllegalArgumentException if the model's template knows no thinking
   */
  public void thinking(boolean value) {
    if (!model.canThink()) {
      throw new ArgumentException(
          "This model cannot be told whether to think: its chat template knows nothing of that.");
    }
    options = options.withThinking(value);
    forget();
  }

  private void forget() {
    if (chat != null) {
      chat.close();
      chat = null;
    }
  }

  @Override
  public void close() {
    forget();
  }
}

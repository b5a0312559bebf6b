package io.minimind.data;

import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What varies at random from one conversation to another, so that a model learns both. It follows
 * from the seed and the number of the row, so it is the same whenever a corpus is encoded.
 *
 * @param emptyThinkingDropped probability, in [0, 1], that a conversation loses the empty thoughts
 *     that its template writes
 * @param systemAdded probability, in [0, 1], that one without system message and tools gets a
 *     system message
 * @param systemPrompts what it may be; at least one if that can happen
 * @param seed of the draws
 */
public record Variation(
    double emptyThinkingDropped, double systemAdded, List<String> systemPrompts, long seed) {

  /** Everything as it is. */
  public static final Variation NONE = new Variation(0, 0, List.of(), 0);

  /**
   * @throws IllegalArgumentException if a probability is out of its range, or there is no system
   *     prompt to add
   */
  public Variation {
    requireProbability(emptyThinkingDropped, "of dropping empty thoughts");
    requireProbability(systemAdded, "of adding a system prompt");
    systemPrompts = List.copyOf(systemPrompts);
    if (systemAdded > 0 && systemPrompts.stream().allMatch(String::isBlank)) {
      throw new ArgumentException(
          "System prompts are to be added, but there are none: give at least one.");
    }
  }

  private static void requireProbability(double value, String name) {
    if (!(value >= 0 && value <= 1)) {
      throw new ArgumentException(
          "The probability %s must lie between 0 and 1, but is %s.".formatted(name, value));
    }
  }

  /** What is drawn for a row. */
  Draw of(long row) {
    Random random = new Random(Permutation.mix(seed, row));
    boolean system = random.nextDouble() < systemAdded;
    boolean dropped = random.nextDouble() < emptyThinkingDropped;
    return new Draw(system ? systemPrompts.get(random.nextInt(systemPrompts.size())) : "", dropped);
  }

  /**
   * @param system a system prompt, or nothing
   * @param dropsEmptyThinking whether empty thoughts go
   */
  record Draw(String system, boolean dropsEmptyThinking) {

    Conversation with(Conversation conversation) {
      boolean bare =
          conversation.tools().isEmpty() && !conversation.messages().get(0).role().equals("system");
      if (system.isEmpty() || !bare) {
        return conversation;
      }
      List<Message> messages = new ArrayList<>(conversation.messages());
      messages.add(0, Message.system(system));
      return new Conversation(messages, conversation.tools());
    }
  }
}

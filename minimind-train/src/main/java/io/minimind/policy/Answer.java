package io.minimind.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import java.util.List;
import java.util.Optional;

/**
 * What a model wrote, for a reward to judge.
 *
 * @param prompt the conversation that it answers
 * @param text as it was written, without special tokens
 * @param tokens that were written, the one that ended the text included
 * @param ended whether the model ended it; else it ran into its limit
 * @param expected what the row says of the right answer, null in JSON if nothing
 */
public record Answer(
    List<Message> prompt, String text, int tokens, boolean ended, JsonNode expected) {

  private static final String END_OF_THINKING = "</think>";

  public Answer {
    prompt = List.copyOf(prompt);
  }

  /** What was thought before it, if the model ended its thinking. */
  public Optional<String> thinking() {
    int end = text.indexOf(END_OF_THINKING);
    return end < 0 ? Optional.empty() : Optional.of(text.substring(0, end));
  }

  /** What was said: all of the text, or what follows the thinking. */
  public String said() {
    int end = text.indexOf(END_OF_THINKING);
    return end < 0 ? text : text.substring(end + END_OF_THINKING.length());
  }
}

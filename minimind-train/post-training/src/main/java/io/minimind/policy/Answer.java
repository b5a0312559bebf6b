package io.minimind.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a model wrote, for a reward to judge.
 *
 * @param prompt the conversation that it answers
 * @param turns what was written, without special tokens: one text, or of an agent one for each time
 *     that it was its turn
 * @param tokens that were written, those that ended a turn included
 * @param ended whether the model ended its answer; else it ran into its limit, or was still calling
 *     tools in its last turn
 * @param tools names of those that it was offered
 * @param expected what the row says of the right answer, null in JSON if nothing
 */
public record Answer(
    List<Message> prompt,
    List<String> turns,
    int tokens,
    boolean ended,
    Set<String> tools,
    JsonNode expected) {

  static final String END_OF_THINKING = "</think>";

  public Answer {
    prompt = List.copyOf(prompt);
    turns = List.copyOf(turns);
    tools = Set.copyOf(tools);
  }

  /** The answer to a prompt in one turn. */
  public static Answer of(List<Message> prompt, String text, JsonNode expected) {
    return new Answer(prompt, List.of(text), text.length(), true, Set.of(), expected);
  }

  /** What was written at last. */
  public String text() {
    return turns.get(turns.size() - 1);
  }

  /** What was thought before that, if the model ended its thinking. */
  public Optional<String> thinking() {
    int end = text().indexOf(END_OF_THINKING);
    return end < 0 ? Optional.empty() : Optional.of(text().substring(0, end));
  }

  /** What was said at last: all of the text, or what follows the thinking. */
  public String said() {
    return said(text());
  }

  static String said(String turn) {
    int end = turn.indexOf(END_OF_THINKING);
    return end < 0 ? turn : turn.substring(end + END_OF_THINKING.length());
  }
}

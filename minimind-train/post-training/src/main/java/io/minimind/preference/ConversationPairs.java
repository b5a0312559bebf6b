package io.minimind.preference;

import io.minimind.data.ChatEncoder;
import io.minimind.data.Conversation;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.files.ArgumentException;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes pairs of conversations, each a list of messages: two samples, in which every answer of
 * the assistant counts, also those that both have in common. What varies is drawn for each side.
 *
 * @param conversations encodes a conversation
 */
record ConversationPairs(ChatEncoder conversations) implements SampleEncoder {

  @Override
  public List<List<String>> columns() {
    return List.of(List.of("chosen", "rejected"));
  }

  @Override
  public int groupSize() {
    return 2;
  }

  @Override
  public int vocabularySize() {
    return conversations.vocabularySize();
  }

  @Override
  public String description() {
    return "pairs of " + conversations.description();
  }

  @Override
  public List<Sample> encode(Row row) {
    Sample chosen = encode(row, 0);
    Sample rejected = encode(row, 1);
    if (Arrays.equals(chosen.ids(), rejected.ids())) {
      throw new ArgumentException("its conversations are the same as far as they are read.");
    }
    return List.of(chosen, rejected);
  }

  private Sample encode(Row row, int cell) {
    String side = columns().get(0).get(cell);
    try {
      Conversation conversation = Conversation.of(row.cells().get(cell));
      return conversations.encode(conversation, 2 * row.number() + cell);
    } catch (IllegalArgumentException e) {
      throw new ArgumentException("in its %s conversation %s".formatted(side, e.getMessage()), e);
    }
  }
}

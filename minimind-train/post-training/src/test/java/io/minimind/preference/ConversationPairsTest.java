package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.chat.ChatTemplate;
import io.minimind.data.ByteTokenizer;
import io.minimind.data.ChatEncoder;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.Variation;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Both sides of a pair of conversations, and what counts in them. */
class ConversationPairsTest {

  private static final String TEMPLATE =
      "{% for m in messages %}{{ '[' + m.role + ']' }}{% if m.role == 'assistant' %}{{"
          + " '<think>\n\n</think>\n\n' }}{% endif %}{{ m.content + ';' }}{% endfor %}{% if"
          + " add_generation_prompt %}{{ '[assistant]' }}{% endif %}";

  private static ConversationPairs encoder(int maxLength, Variation variation) {
    ChatTemplate template = ChatTemplate.parse(TEMPLATE, Map.of());
    return new ConversationPairs(
        ChatEncoder.of(new ByteTokenizer(), template, "bytes", maxLength, Loss.ALL_TURNS)
            .with(variation));
  }

  private static String talk(String... messages) {
    StringBuilder json = new StringBuilder();
    for (int i = 0; i < messages.length; i++) {
      String role = i % 2 == 0 ? "user" : "assistant";
      json.append(json.isEmpty() ? "[" : ",")
          .append("{\"role\":\"%s\",\"content\":\"%s\"}".formatted(role, messages[i]));
    }
    return json.append("]").toString();
  }

  private static Row row(long number, String chosen, String rejected) {
    return new Row(number, 1, List.of(chosen, rejected), Set.of(0, 1));
  }

  /** The text of a sample, with what counts in brackets. */
  private static String marked(Sample sample) {
    StringBuilder text = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < sample.ids().length; i++) {
      if (sample.targets().get(i) != inside) {
        inside = !inside;
        text.append(inside ? "«" : "»");
      }
      text.append(new ByteTokenizer().decode(new int[] {sample.ids()[i]}));
    }
    return text.append(inside ? "»" : "").toString();
  }

  @Test
  void everyAnswerOfBothSidesCounts() {
    List<Sample> pair =
        encoder(300, new Variation(1, 0, List.of(), 0))
            .encode(row(1, talk("A", "b", "C", "d"), talk("A", "b", "X", "y", "Z")));
    assertEquals("[user]A;[assistant]«b;»[user]C;[assistant]«d;»", marked(pair.get(0)));
    assertEquals("[user]A;[assistant]«b;»[user]X;[assistant]«y;»", marked(pair.get(1)));
  }

  @Test
  void emptyThoughtsGoFromEachSideForItself() {
    ConversationPairs encoder = encoder(300, new Variation(0.5, 0, List.of(), 3));
    int[] kept = new int[4];
    for (int number = 1; number <= 100; number++) {
      List<Sample> pair = encoder.encode(row(number, talk("A", "b"), talk("A", "c")));
      int first = marked(pair.get(0)).contains("think") ? 1 : 0;
      kept[2 * first + (marked(pair.get(1)).contains("think") ? 1 : 0)]++;
    }
    for (int count : kept) {
      assertTrue(count > 10, "each combination comes");
    }
  }

  @Test
  void whatIsWrongIsSaidOfItsSide() {
    ConversationPairs encoder = encoder(300, Variation.NONE);
    assertRefused(encoder, "in its rejected conversation it has no answer", talk("A", "b"), "[]");
    assertRefused(encoder, "in its chosen conversation its messages are", "x", talk("A", "b"));
    assertRefused(encoder, "are the same", talk("A", "b"), talk("A", "b", "C"));
    assertRefused(encoder(8, Variation.NONE), "within the first 8", talk("A", "b"), talk("A", "c"));
  }

  private static void assertRefused(
      ConversationPairs encoder, String part, String chosen, String rejected) {
    Exception e =
        assertThrows(
            IllegalArgumentException.class, () -> encoder.encode(row(1, chosen, rejected)));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}

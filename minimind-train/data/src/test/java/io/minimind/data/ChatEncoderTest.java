package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.chat.ChatTemplate;
import io.minimind.data.ChatEncoder.Loss;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class ChatEncoderTest {

  private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

  private static final String MINIMIND =
      "{% for m in messages %}{% if m['role'] == 'user' %}{{ '<s>user\\n' + m['content'] +"
          + " '</s>\\n<s>assistant\\n' }}{% elif m['role'] == 'assistant' %}{{ m['content'] +"
          + " '</s>\\n' }}{% else %}{{ m['content'] }}{% endif %}{% endfor %}";

  private static final String CHAT_ML =
      "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<end>' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

  private static final String MARKED =
      "{% for m in messages %}{{ '<|' + m.role + '|>' }}{% if m.role == 'assistant' %}"
          + "{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
          + "{{ '<end>' }}{% endfor %}";

  private static ChatEncoder encoder(String template, int maxLength, Loss loss) {
    ChatTemplate chat = ChatTemplate.parse(template, Map.of());
    return ChatEncoder.of(TOKENIZER, chat, "bytes", maxLength, loss);
  }

  private static Row row(String... cells) {
    return new Row(1, 2, List.of(cells));
  }

  /** The text of a sample, with what counts in the loss in {@code «»}. */
  private static String marked(Sample sample) {
    StringBuilder text = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < sample.ids().length; i++) {
      if (sample.targets().get(i) != inside) {
        inside = !inside;
        text.append(inside ? "«" : "»");
      }
      text.append(TOKENIZER.decode(new int[] {sample.ids()[i]}));
    }
    return text.append(inside ? "»" : "").toString();
  }

  @Test
  void theLastAnswerCounts() {
    Row row = row("[['h', 'i']]", "q", "a");
    String before = "<s>user\nh</s>\n<s>assistant\ni</s>\n<s>user\nq</s>\n<s>assistant";
    assertEquals(
        before + "«\na</s>\n»", marked(encoder(MINIMIND, 99, Loss.LAST_ANSWER).encode(row).get(0)));
    assertEquals(
        "<|user|>h<end><|assistant|>i<end><|user|>q<end><|assistant|>«a<end>»",
        marked(encoder(CHAT_ML, 99, Loss.LAST_ANSWER).encode(row).get(0)));
    assertEquals(
        "<|user|>h<end><|assistant|>i<end><|user|>q<end><|assistant|>«a<end>»",
        marked(encoder(MARKED, 99, Loss.LAST_ANSWER).encode(row).get(0)));
  }

  @Test
  void everyAnswerCounts() {
    Row row = row("[['h', 'i'], ['j', 'k']]", "q", "a");
    assertEquals(
        "<s>user\nh</s>\n<s>assistant«\ni</s>\n»<s>user\nj</s>\n<s>assistant«\nk</s>\n»"
            + "<s>user\nq</s>\n<s>assistant«\na</s>\n»",
        marked(encoder(MINIMIND, 99, Loss.ALL_TURNS).encode(row).get(0)));
    assertEquals(
        "<|user|>h<end><|assistant|>«i<end>»<|user|>j<end><|assistant|>«k<end>»"
            + "<|user|>q<end><|assistant|>«a<end>»",
        marked(encoder(CHAT_ML, 199, Loss.ALL_TURNS).encode(row).get(0)));
    assertEquals(
        "<|user|>h<end><|assistant|>«i»<end><|user|>j<end><|assistant|>«k»<end>"
            + "<|user|>q<end><|assistant|>«a»<end>",
        marked(encoder(MARKED, 199, Loss.ALL_TURNS).encode(row).get(0)));
  }

  @Test
  void emptyAnswersAreNotLearnt() {
    Row row = row("[['h', ''], ['j', ' ']]", "q", "a");
    assertEquals(
        "<s>user\nh</s>\n<s>assistant\n</s>\n<s>user\nj</s>\n<s>assistant\n </s>\n"
            + "<s>user\nq</s>\n<s>assistant«\na</s>\n»",
        marked(encoder(MINIMIND, 199, Loss.ALL_TURNS).encode(row).get(0)));
    String before =
        "<|user|>h<end><|assistant|><end><|user|>j<end><|assistant|> <end><|user|>q<end>";
    assertEquals(
        before + "<|assistant|>«a<end>»",
        marked(encoder(CHAT_ML, 199, Loss.ALL_TURNS).encode(row).get(0)));
    String markedEnd = MARKED.replace("{{ m.content }}{% endg", "{{ m.content + '<end>' }}{% endg");
    assertEquals(
        before.replaceAll("(<.assistant.> ?<end>)", "$1<end>") + "<|assistant|>«a<end>»<end>",
        marked(encoder(markedEnd, 199, Loss.ALL_TURNS).encode(row).get(0)));
  }

  @Test
  void systemTextsNeverCount() {
    Row row =
        row(
            "[{'role': 'system', 'content': 'S'}, {'role': 'user', 'content': 'q'},"
                + " {'role': 'assistant', 'content': 'a'}]");
    for (Loss loss : Loss.values()) {
      assertEquals(
          "S<s>user\nq</s>\n<s>assistant«\na</s>\n»",
          marked(encoder(MINIMIND, 99, loss).encode(row).get(0)));
    }
  }

  @Test
  void whatIsCutOffDoesNotCount() {
    Row row = row("[['h', 'i']]", "q", "answer");
    // <s>user\nh</s>\n is 9 tokens, <s>assistant 10, \ni</s>\n 4: the second answer begins at 42.
    assertEquals(
        "<s>user\nh</s>\n<s>assistant«\ni</s>\n»<s>user\nq</s>\n<s>assistant«\nans»",
        marked(encoder(MINIMIND, 46, Loss.ALL_TURNS).encode(row).get(0)));
    String cut = "<s>user\nh</s>\n<s>assistant«\ni</s>\n";
    assertEquals(
        cut + "»<s>user\nq", marked(encoder(MINIMIND, 30, Loss.ALL_TURNS).encode(row).get(0)));
    assertEquals(
        cut + "<s>user\nq»",
        marked(encoder(MINIMIND, 30, Loss.LAST_ANSWER).encode(row).get(0)),
        "the original learns on from the last marker that is left");
    assertEquals(
        "<s>user\nh</s>\n«<s>a»",
        marked(encoder(MINIMIND, 11, Loss.LAST_ANSWER).encode(row("", "h", "a")).get(0)),
        "and from the length of a marker on, less one, where none is left");
  }

  @Test
  void aRowWithoutAnyAnswerLeftIsRefused() {
    Row row = row("", "question", "a");
    for (String template : List.of(MINIMIND, CHAT_ML, MARKED)) {
      Exception e =
          assertThrows(
              IllegalArgumentException.class,
              () -> encoder(template, 9, Loss.ALL_TURNS).encode(row).get(0));
      assertEquals("none of its answers begins within the first 9 tokens.", e.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> encoder(CHAT_ML, 9, Loss.LAST_ANSWER).encode(row).get(0));
  }

  @Test
  void forTheLastAnswerHistoryIsShortenedAsInTheOriginal() {
    String text = "0123456789".repeat(5) + "😀" + "0123456789";
    Row row = row("[['%s', 'x%s']]".formatted(text, text), text, "a");
    // Half of 102 is 51 characters, of which the last takes two places of the string.
    String shortened = decoded(row, 102, Loss.LAST_ANSWER);
    assertTrue(shortened.startsWith("<s>user\n" + text.substring(0, 52) + "</s>"), shortened);
    shortened = decoded(row, 101, Loss.LAST_ANSWER);
    assertTrue(shortened.startsWith("<s>user\n" + text.substring(0, 50) + "</s>"), shortened);
    String whole = decoded(row, 102, Loss.ALL_TURNS);
    assertTrue(whole.startsWith("<s>user\n" + text + "</s>"), whole);
    assertEquals(decoded(row, 999, Loss.ALL_TURNS), decoded(row, 999, Loss.LAST_ANSWER));
  }

  private static String decoded(Row row, int maxLength, Loss loss) {
    return TOKENIZER.decode(encoder(MINIMIND, maxLength, loss).encode(row).get(0).ids());
  }

  /** Whatever is said: the ids are those of the text, and exactly the answers count. */
  @Property(tries = 200)
  void idsAreThoseOfTheTextAndExactlyTheAnswersCount(
      @ForAll @Size(min = 1, max = 4)
          List<@StringLength(min = 1, max = 8) @Chars({'a', '<', '\n', 's', '>', '云'}) String>
              answers,
      @ForAll @IntRange(min = 20, max = 200) int maxLength) {
    StringBuilder messages = new StringBuilder("[");
    StringBuilder text = new StringBuilder();
    TreeSet<Integer> expected = new TreeSet<>();
    for (String answer : answers) {
      String written = answer.isBlank() ? "a" : answer;
      String question = "<s>user\nq</s>\n<s>assistant";
      messages.append("{'role':'user','content':'q'},{'role':'assistant','content':'''");
      messages.append(written.replace("\\", "\\\\")).append("'''},");
      text.append(question);
      int start = TOKENIZER.encode(text.toString()).length;
      text.append("\n").append(written).append("</s>\n");
      int end = TOKENIZER.encode(text.toString()).length;
      for (int i = start; i < Math.min(end, maxLength); i++) {
        expected.add(i);
      }
    }
    Row row = row(messages.append("]").toString());
    int[] ids = TOKENIZER.encode(text.toString());
    Sample sample = encoder(MINIMIND, maxLength, Loss.ALL_TURNS).encode(row).get(0);
    assertArrayEquals(Arrays.copyOf(ids, Math.min(ids.length, maxLength)), sample.ids());
    TreeSet<Integer> found = new TreeSet<>();
    sample.targets().stream().forEach(found::add);
    assertEquals(expected, found);
  }

  @Test
  void theDescriptionTellsEncodingsApart() {
    String description = encoder(MINIMIND, 9, Loss.ALL_TURNS).description();
    assertEquals(description, encoder(MINIMIND, 9, Loss.ALL_TURNS).description());
    assertNotEquals(description, encoder(MINIMIND, 10, Loss.ALL_TURNS).description());
    assertNotEquals(description, encoder(MINIMIND, 9, Loss.LAST_ANSWER).description());
  }
}

package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.chat.ChatTemplate;
import io.minimind.data.ByteTokenizer;
import io.minimind.data.EncodingProgress;
import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.data.Sample;
import io.minimind.data.TokenShards;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A token of {@link ByteTokenizer} is a byte or a marker, so lengths can be counted by hand. */
class PreferenceEncoderTest {

  private static final String SOURCE =
      "{% for m in messages %}{% if m['role'] == 'user' %}{{ '<s>user\n' + m['content']"
          + " + '</s>\n<s>assistant\n' }}{% elif m['role'] == 'assistant' %}{{ m['content'] +"
          + " '</s>\n' }}{% else %}{{ m['content'] }}{% endif %}{% endfor %}";

  private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

  private static final String QUESTION = "<s>user\nQ</s>\n<s>assistant\n";

  @TempDir Path folder;

  private static PreferenceEncoder encoder(int maxLength) {
    return PreferenceEncoder.of(
        TOKENIZER, ChatTemplate.parse(SOURCE, Map.of()), "bytes", maxLength);
  }

  /** A row of texts. */
  private static List<Sample> encode(int maxLength, String... cells) {
    return encoder(maxLength).encode(new Row(1, 1, List.of(cells)));
  }

  /** A row of texts, and of lists and objects that begin with a bracket. */
  private static List<Sample> encodeJson(String... cells) {
    Set<Integer> json =
        IntStream.range(0, cells.length)
            .filter(i -> cells[i].startsWith("[") || cells[i].startsWith("{"))
            .boxed()
            .collect(Collectors.toSet());
    return encoder(512).encode(new Row(1, 1, List.of(cells), json));
  }

  private static String text(Sample sample) {
    return TOKENIZER.decode(sample.ids());
  }

  private static String targets(Sample sample) {
    return TOKENIZER.decode(sample.targets().stream().map(i -> sample.ids()[i]).toArray());
  }

  private static void assertPair(List<Sample> pair, String prompt, String chosen, String rejected) {
    assertEquals(2, pair.size());
    assertEquals(prompt + chosen, text(pair.get(0)));
    assertEquals(prompt + rejected, text(pair.get(1)));
    assertEquals(chosen, targets(pair.get(0)));
    assertEquals(rejected, targets(pair.get(1)));
  }

  @Test
  void textsBecomeAQuestionAndItsTwoAnswers() {
    assertPair(
        encode(512, "你好", "好", "坏"), "<s>user\n你好</s>\n<s>assistant\n", "好</s>\n", "坏</s>\n");
  }

  @Test
  void messagesMayBeTheAnswersAloneOrTheWholeConversation() {
    String prompt =
        "[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"Q\"}]";
    String chosen = "{\"role\":\"assistant\",\"content\":\"A\"}";
    String rejected = "{\"role\":\"assistant\",\"content\":\"B\"}";
    String start = prompt.substring(0, prompt.length() - 1) + ",";
    String text = "S<s>user\nQ</s>\n<s>assistant\n";
    assertPair(
        encodeJson(prompt, "[" + chosen + "]", "[" + rejected + "]"), text, "A</s>\n", "B</s>\n");
    assertPair(
        encodeJson(prompt, start + chosen + "]", start + rejected + "]"),
        text,
        "A</s>\n",
        "B</s>\n");
    assertPair(
        encodeJson(start + chosen + "]", start + rejected + "]"), text, "A</s>\n", "B</s>\n");
    assertPair(encodeJson(prompt, "A", "B"), text, "A</s>\n", "B</s>\n");
  }

  @Test
  void aTextThatLooksLikeAListIsAText() {
    assertPair(
        encode(512, "[1, 2]", "[3", "[]"),
        "<s>user\n[1, 2]</s>\n<s>assistant\n",
        "[3</s>\n",
        "[]</s>\n");
    String code = "[{\"role\":\"assistant\",\"content\":\"A\"}]";
    assertPair(encode(512, "Q", code, "B"), QUESTION, code + "</s>\n", "B</s>\n");
  }

  @Test
  void theReaderTellsTextsFromLists() throws IOException {
    Path file = folder.resolve("pairs.jsonl");
    String list = "[{\"from\":\"gpt\",\"value\":\"A\"}]";
    String text = new ObjectMapper().writeValueAsString(list);
    Files.writeString(
        file, "{\"prompt\":\"Q\",\"chosen\":%s,\"rejected\":%s}".formatted(list, text));
    try (RowReader reader = Rows.of(file).open(encoder(512).columns())) {
      List<Sample> pair = encoder(512).encode(reader.next().orElseThrow());
      assertPair(pair, QUESTION, "A</s>\n", list + "</s>\n");
    }
  }

  @Test
  void rolesHaveTheNamesThatConversationsHave() {
    assertPair(
        encodeJson(
            "[{\"role\":\"human\",\"content\":\"Q\"}]",
            "[{\"role\":\"gpt\",\"content\":\"A\"}]",
            "B"),
        QUESTION,
        "A</s>\n",
        "B</s>\n");
  }

  @Test
  void aPromptOfWhichTheTemplateMakesNothingIsRefused() {
    ChatTemplate silent =
        ChatTemplate.parse(
            "{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}{% endif %}"
                + "{% endfor %}",
            Map.of());
    PreferenceEncoder encoder = PreferenceEncoder.of(TOKENIZER, silent, "bytes", 512);
    Row row = new Row(1, 1, List.of("Q", "A", "B"));
    assertEquals(
        "the chat template makes nothing of its prompt.",
        assertThrows(IllegalArgumentException.class, () -> encoder.encode(row)).getMessage());
  }

  @Test
  void longPromptsLoseTheirBeginningAndLongAnswersTheirEnd() {
    // Around the question stand 5 + 2 + 11 tokens and more, around an answer 2.
    String question = "q".repeat(100);
    List<Sample> pair = encode(60, question, "a".repeat(8), "b".repeat(18));
    Sample shortAnswers = pair.get(0);
    assertEquals(60, pair.get(1).ids().length);
    assertEquals(50, shortAnswers.ids().length, "both have the same prompt");
    assertEquals("a".repeat(8) + "</s>\n", targets(shortAnswers));
    assertTrue(text(shortAnswers).contains("q</s>\n<s>assistant\naaa"));
    List<Sample> longer = encode(60, question, "a".repeat(200), "b".repeat(3));
    Sample longAnswers = longer.get(0);
    assertEquals(60, longAnswers.ids().length);
    assertEquals("a".repeat(30), targets(longAnswers));
    assertEquals("bbb</s>\n", targets(longer.get(1)));
    Sample fits = encode(60, "q", "a".repeat(200), "b").get(0);
    assertTrue(text(fits).startsWith("<s>user\nq</s>\n<s>assistant\naaa"));
    assertEquals(60, fits.ids().length);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\0',
      delimiter = '|',
      value = {
        "Q | A |  | its rejected is empty.",
        " | A | B | its prompt is empty.",
        "Q | A | A | its answers are the same.",
        "Q | [] | B | its chosen is empty.",
        "Q | [{\"role\":\"assistant\"}] | B | its chosen message 1 holds nothing where a text was"
            + " expected.",
        "Q | [{\"role\":\"user\",\"content\":\"Q\"}] | B | its chosen answer is nothing but the"
            + " prompt.",
        "Q | {\"role\":\"assistant\",\"content\":\"A\"} | B | its chosen is neither a text nor a"
            + " list of messages.",
        "Q | A | [\"x\"] | its rejected message 1 is from \"\": expected system, user,"
            + " assistant or tool.",
        "[{\"role\":\"robot\",\"content\":\"Q\"}] | A | B | its prompt message 1 is from \"robot\":"
            + " expected system, user, assistant or tool.",
        "Q | [{\"role\":\"user\",\"content\":\"A\"}] | B | its chosen does not end with an answer"
            + " of the assistant."
      })
  void unusableRowsSayWhatIsWrong(String prompt, String chosen, String rejected, String reason) {
    String[] cells = {prompt, chosen, rejected};
    for (int i = 0; i < cells.length; i++) {
      cells[i] = cells[i] == null ? "" : cells[i];
    }
    assertEquals(
        reason, assertThrows(IllegalArgumentException.class, () -> encodeJson(cells)).getMessage());
  }

  @Test
  void answersThatDifferOnlyWhereTheyAreCutTeachNothing() {
    String same = "a".repeat(300);
    assertEquals(
        "its answers are the same within 60 tokens.",
        assertThrows(IllegalArgumentException.class, () -> encode(60, "Q", same + "x", same + "y"))
            .getMessage());
  }

  @Test
  void conversationsWithoutPromptMustBeginAlike() {
    String one = "[{\"role\":\"assistant\",\"content\":\"A\"}]";
    String two = "[{\"role\":\"assistant\",\"content\":\"B\"}]";
    assertEquals(
        "it has no prompt, and its answers do not begin with the same message.",
        assertThrows(IllegalArgumentException.class, () -> encodeJson(one, two)).getMessage());
  }

  @Test
  void anArrayAndLinesGiveTheSamePairsAndBadRowsAreListed() throws IOException {
    String good = "{\"prompt\":\"Q\",\"chosen\":\"A\",\"rejected\":\"B\"}";
    String other =
        "{\"prompt\":\"R\",\"chosen\":[{\"role\":\"assistant\",\"content\":\"C\"}],\"rejected\":\"D\"}";
    String bad = "{\"prompt\":\"Q\",\"chosen\":\"A\"}";
    Path array = folder.resolve("pairs.json");
    Path lines = folder.resolve("pairs.jsonl");
    Files.writeString(array, "[" + good + ",\n" + bad + ",\n" + other + "]");
    Files.writeString(lines, good + "\n" + bad + "\n" + other + "\n");
    for (Path file : List.of(array, lines)) {
      TokenShards shards =
          TokenShards.openOrBuild(
              folder.resolve("cache"), Rows.of(file), encoder(512), EncodingProgress.none());
      assertEquals(2, shards.groups());
      assertEquals(4, shards.size());
      assertEquals(2, shards.groupSize());
      assertEquals(1, shards.skippedRows());
      List<String> list = Files.readAllLines(shards.skippedList().orElseThrow());
      assertTrue(list.get(0).startsWith("row 2 (line 2): it has no "), list.toString());
      List<Sample> expected = encode(512, "R", "C", "D");
      int[] ids = new int[shards.longest()];
      boolean[] targets = new boolean[ids.length];
      for (int number = 2; number < 4; number++) {
        Sample sample = expected.get(number - 2);
        int length = shards.read(number, ids, targets);
        assertArrayEquals(sample.ids(), Arrays.copyOf(ids, length));
        for (int i = 0; i < length; i++) {
          assertEquals(sample.targets().get(i), targets[i]);
        }
      }
    }
  }

  @Test
  void theDescriptionTellsLengthsApart() {
    assertNotEquals(encoder(60).description(), encoder(61).description());
    assertThrows(IllegalArgumentException.class, () -> encoder(3));
  }
}

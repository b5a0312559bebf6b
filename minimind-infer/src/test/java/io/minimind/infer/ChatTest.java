package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.chat.Message;
import io.minimind.infer.constraint.TokenConstraint;
import io.minimind.tokenizer.StreamingDecoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTest {
  private static final LetterTokenizer TOKENIZER = new LetterTokenizer(64);
  private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxNewTokens(12);

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    new TestModel(32, 2, 2, 1, 48, 64, 600).write(folder, TestModel.random(1), -1);
  }

  private LanguageModel load(int batch) throws IOException {
    LoadOptions options = LoadOptions.defaults().withThreads(1).withBatchSize(batch);
    return LanguageModel.load(folder, options, TOKENIZER);
  }

  /** A letter for the role, the message, a letter for its end; at last the assistant's letter. */
  private static String render(List<Message> messages) {
    StringBuilder text = new StringBuilder();
    for (Message message : messages) {
      text.append(letters("sua".indexOf(message.role().charAt(0)) + 60));
      text.append(message.content()).append(letters(63));
    }
    return text.append(letters(62)).toString();
  }

  private static String letters(int... ids) {
    return TOKENIZER.decode(ids);
  }

  private static String question(int turn) {
    return letters(turn, 3 * turn % 50, 7, 11 * turn % 50);
  }

  private static Generation uncached(LanguageModel model, List<Message> conversation) {
    List<Message> asked = conversation.subList(0, conversation.size() - 1);
    return model.generate(render(asked), GREEDY);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void everyTurnEqualsTheUncachedOneAndComputesOnlyWhatIsNew(int batch) throws IOException {
    ChatOptions options =
        ChatOptions.defaults().withSystemPrompt(letters(1, 2, 3)).withGeneration(GREEDY);
    try (LanguageModel model = load(batch);
        Chat chat = model.chat(ChatTest::render, options)) {
      Generation before = null;
      // Long enough to outgrow the first buffers, of 256 tokens.
      for (int turn = 0; turn < 16; turn++) {
        Generation answer = chat.send(question(turn)).generation();
        Generation alone = uncached(model, chat.history());
        assertArrayEquals(alone.tokenIds(), answer.tokenIds(), "turn " + turn);
        assertEquals(alone.promptTokens(), answer.promptTokens());
        assertEquals(2 * turn + 3, chat.history().size());
        // All but the last token of the last answer, which the model has not seen.
        int known = before == null ? 0 : before.promptTokens() + before.tokenIds().length - 1;
        assertEquals(known, answer.reusedTokens(), "turn " + turn);
        before = answer;
      }
      assertTrue(before.promptTokens() > 256);
      assertEquals(0, uncached(model, chat.history()).reusedTokens());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void theOldestTurnsLeaveWhenTheBudgetIsSpent(int batch) throws IOException {
    int budget = 70;
    ChatOptions options =
        ChatOptions.defaults()
            .withSystemPrompt(letters(1, 2, 3))
            .withGeneration(GREEDY)
            .withTokenBudget(budget);
    try (LanguageModel model = load(batch);
        Chat chat = model.chat(ChatTest::render, options)) {
      List<Message> all = new ArrayList<>();
      for (int turn = 0; turn < 12; turn++) {
        Generation answer = chat.send(question(turn)).generation();
        List<Message> history = chat.history();
        assertArrayEquals(uncached(model, history).tokenIds(), answer.tokenIds(), "turn " + turn);
        assertEquals(12, answer.tokenIds().length);
        assertTrue(answer.promptTokens() + 12 <= budget);

        all.add(Message.user(question(turn)));
        all.add(Message.assistant(answer.text()));
        assertEquals(Message.system(letters(1, 2, 3)), history.get(0));
        List<Message> turns = history.subList(1, history.size());
        assertEquals(all.subList(all.size() - turns.size(), all.size()), turns);
        assertEquals("user", turns.get(0).role());
        if (turns.size() < all.size()) {
          // One more turn, of 6 and 14 letters, would have been too many.
          assertTrue(answer.promptTokens() + 20 + 12 > budget);
        }
      }
      assertTrue(chat.history().size() < all.size());
    }
  }

  @Test
  void aMessageTooLongForTheBudgetIsRefusedAndNotSaid() throws IOException {
    ChatOptions options = ChatOptions.defaults().withGeneration(GREEDY).withTokenBudget(30);
    try (LanguageModel model = load(1);
        Chat chat = model.chat(ChatTest::render, options)) {
      chat.send(question(1));
      List<Message> before = chat.history();
      String message =
          assertThrows(IllegalArgumentException.class, () -> chat.send(question(1).repeat(7)))
              .getMessage();
      assertTrue(message.contains("31 tokens") && message.contains("budget of 30"), message);
      assertEquals(before, chat.history());
    }
    assertThrows(IllegalArgumentException.class, () -> ChatOptions.defaults().withTokenBudget(1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aStreamedAnswerBecomesHistoryWhenItHasEnded(int batch) throws IOException {
    ChatOptions options = ChatOptions.defaults().withGeneration(GREEDY.withMaxNewTokens(400));
    try (LanguageModel model = load(batch);
        Chat chat = model.chat(ChatTest::render, options)) {
      ReplyStream answer = chat.stream(question(1));
      answer.iterator().next();
      assertEquals(List.of(Message.user(question(1))), chat.history());
      String message =
          assertThrows(IllegalStateException.class, () -> chat.send(question(2))).getMessage();
      assertTrue(message.contains("still being written"), message);
      answer.close();
      answer.close();
      assertEquals(
          List.of(Message.user(question(1)), Message.assistant(answer.result().text())),
          chat.history());
      Generation next = chat.send(question(2)).generation();
      Generation written = answer.result().generation();
      int seen = written.promptTokens() + written.tokenIds().length;
      assertTrue(next.reusedTokens() >= seen - 1);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aTurnThatIsClosedUnreadIsAsIfNeverSaid(int batch) throws IOException {
    try (LanguageModel model = load(batch);
        Chat chat = model.chat(ChatTest::render, ChatOptions.defaults().withGeneration(GREEDY))) {
      chat.stream(question(1)).close();
      assertEquals(List.of(), chat.history());
      chat.send(question(2));
      List<Message> before = chat.history();
      chat.stream(question(3)).close();
      assertEquals(before, chat.history());
      Generation answer = chat.send(question(4)).generation();
      assertArrayEquals(uncached(model, chat.history()).tokenIds(), answer.tokenIds());
    }
  }

  /** The last letter is a special token; as ordinary text it is the letter before. */
  private record Special() implements PartialTokenizer {
    @Override
    public int vocabularySize() {
      return TOKENIZER.vocabularySize();
    }

    @Override
    public int[] encode(String text) {
      return TOKENIZER.encode(text);
    }

    @Override
    public int[] encodeOrdinary(String text) {
      return Arrays.stream(encode(text)).map(id -> Math.min(id, 62)).toArray();
    }

    @Override
    public Map<String, Integer> specialTokens() {
      return Map.of(letters(63), 63);
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
      return TOKENIZER.decode(ids, skipSpecialTokens);
    }

    @Override
    public OptionalInt tokenId(String token) {
      return TOKENIZER.tokenId(token);
    }

    @Override
    public StreamingDecoder streamingDecoder() {
      return TOKENIZER.streamingDecoder();
    }
  }

  @Test
  void aMessageCannotEndItself() throws IOException {
    try (LanguageModel model =
            LanguageModel.load(folder, LoadOptions.defaults().withThreads(1), new Special());
        Chat chat = model.chat(ChatTest::render, ChatOptions.defaults().withGeneration(GREEDY))) {
      Generation answer = chat.send(letters(5, 63, 60, 7)).generation();
      int[] seen = {61, 5, 62, 60, 7, 63, 62};
      assertArrayEquals(model.generate(seen, GREEDY).tokenIds(), answer.tokenIds());
      assertEquals(Message.user(letters(5, 63, 60, 7)), chat.history().get(0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aTurnThatFailsIsAsIfNeverSaid(int batch) throws IOException {
    ChatOptions options = ChatOptions.defaults().withGeneration(GREEDY);
    boolean[] dead = {false};
    TokenConstraint constraint =
        budget ->
            new TokenConstraint.State() {
              @Override
              public void allow(java.util.BitSet allowed) {
                allowed.set(0, dead[0] ? 0 : 64);
              }

              @Override
              public boolean mayEnd() {
                return false;
              }

              @Override
              public void advance(int tokenId) {}
            };
    try (LanguageModel model = load(batch);
        Chat chat =
            model.chat(
                ChatTest::render, options.withGeneration(GREEDY.withConstraint(constraint)))) {
      chat.send(question(1));
      List<Message> before = chat.history();
      dead[0] = true;
      assertThrows(IllegalStateException.class, () -> chat.send(question(2)));
      assertEquals(before, chat.history());
      dead[0] = false;
      Generation answer = chat.send(question(3)).generation();
      assertArrayEquals(uncached(model, chat.history()).tokenIds(), answer.tokenIds());
    }
  }

  @Test
  void aClosedChatAndAModelWithoutATemplateSaySo() throws IOException {
    try (LanguageModel model = load(1)) {
      String message = assertThrows(IllegalStateException.class, () -> model.chat()).getMessage();
      assertTrue(message.contains(folder + " has no chat template"), message);
      Chat chat = model.chat(ChatTest::render, ChatOptions.defaults());
      chat.send(question(1));
      chat.close();
      chat.close();
      assertThrows(IllegalStateException.class, () -> chat.send(question(1)));
    }
  }
}

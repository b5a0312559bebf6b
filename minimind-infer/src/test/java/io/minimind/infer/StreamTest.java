package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.infer.constraint.TokenConstraint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold for a model that computes each generation alone and for one that batches. */
class StreamTest {
  private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxNewTokens(60);

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
  }

  private LanguageModel load(int batch) throws IOException {
    return LanguageModel.load(
        folder,
        LoadOptions.defaults().withThreads(1).withBatchSize(batch),
        new LetterTokenizer(64));
  }

  private static String prompt(int length) {
    return IntStream.range(0, length)
        .mapToObj(i -> Character.toString(LetterTokenizer.FIRST + i * 7 % 64))
        .reduce("", String::concat);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void thePiecesJoinToTheResult(int batch) throws IOException {
    try (LanguageModel model = load(batch);
        TextStream stream = model.stream(prompt(5), GREEDY)) {
      List<String> pieces = new ArrayList<>();
      stream.forEach(pieces::add);
      assertEquals(stream.result().text(), String.join("", pieces));
      assertEquals(60, pieces.size());
      assertFalse(stream.iterator().hasNext());
      assertEquals(FinishReason.LENGTH, stream.result().finishReason());
    }
  }

  /** Matrices are often filled up with rows, so that their size is a round number. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void idsThatTheTokenizerLacksAreNotChosen(int batch) throws IOException {
    try (LanguageModel model =
        LanguageModel.load(
            folder,
            LoadOptions.defaults().withThreads(1).withBatchSize(batch),
            new LetterTokenizer(40))) {
      Generation answer =
          model.generate(
              new int[] {1, 2, 3}, GREEDY.withMaxNewTokens(4).withForcedTokens(7, 63, 40, 39));
      assertArrayEquals(new int[] {7, 63, 40, 39}, answer.tokenIds());
      assertEquals(new LetterTokenizer(40).decode(new int[] {7, 39}, false), answer.text());
      Generation drawn =
          model.generate(
              new int[] {1, 2, 3},
              GREEDY.withTemperature(1000).withSeed(1).withLogProbabilities(60));
      assertEquals(60, drawn.text().length());
      for (TokenLogProbability token : drawn.logProbabilities()) {
        assertEquals(40, token.alternatives().size());
        assertTrue(token.alternatives().stream().allMatch(other -> other.tokenId() < 40));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aStopStringIsNeverEmitted(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      String all = model.generate(prompt(5), GREEDY).text();
      String stop = all.substring(20, 24);
      String expected = all.substring(0, all.indexOf(stop));
      List<String> pieces = new ArrayList<>();
      Generation stopped =
          model.generate(prompt(5), GREEDY.withStopStrings("nowhere", stop), pieces::add);
      assertEquals(FinishReason.STOP_STRING, stopped.finishReason());
      assertEquals(expected, stopped.text());
      assertEquals(expected, String.join("", pieces));
      assertEquals(expected.length() + 4, stopped.tokenIds().length);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void textThatMightHaveBecomeAStopStringIsNotLost(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      String all = model.generate(prompt(5), GREEDY).text();
      String unfinished = all.substring(50) + "and more";
      assertEquals(all, model.generate(prompt(5), GREEDY.withStopStrings(unfinished)).text());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void cancellingKeepsWhatWasWritten(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      String all = model.generate(prompt(5), GREEDY).text();
      AtomicBoolean cancelled = new AtomicBoolean();
      TextStream stream =
          model.stream(prompt(5), GREEDY.withConstraint(Held.after(3, cancelled::get)));
      Iterator<String> pieces = stream.iterator();
      String first = pieces.next() + pieces.next();
      stream.cancel();
      cancelled.set(true);
      Generation result = stream.result();
      assertEquals(FinishReason.CANCELLED, result.finishReason());
      assertTrue(result.text().startsWith(first));
      assertTrue(all.startsWith(result.text().substring(0, Math.min(60, result.text().length()))));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aClosedStreamHasEnded(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      TextStream unread = model.stream(prompt(5), GREEDY);
      unread.close();
      assertEquals("", unread.result().text());
      assertEquals(FinishReason.CANCELLED, unread.result().finishReason());
      // The batch's thread, which runs ahead, is held until this one waits for it to let go.
      Thread reader = Thread.currentThread();
      TokenConstraint held = Held.after(3, () -> reader.getState() == Thread.State.WAITING);
      TextStream begun = model.stream(prompt(5), GREEDY.withConstraint(held));
      begun.iterator().next();
      begun.close();
      assertEquals(FinishReason.CANCELLED, begun.result().finishReason());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void anotherThreadMayCancel(int batch) throws Exception {
    try (LanguageModel model = load(batch)) {
      CountDownLatch cancelled = new CountDownLatch(1);
      BlockingQueue<String> pieces = new LinkedBlockingQueue<>();
      RunningGeneration running =
          model.start(
              prompt(5),
              GREEDY.withMaxNewTokens(195),
              piece -> {
                pieces.add(piece);
                await(cancelled);
              });
      pieces.take();
      running.cancel();
      cancelled.countDown();
      Generation result = running.result();
      assertTrue(running.isDone());
      assertTrue(result.text().length() >= 1);
      if (batch == 1) {
        assertEquals(FinishReason.CANCELLED, result.finishReason());
        assertEquals(1, result.tokenIds().length);
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aListenerThatThrowsEndsItsGenerationOnly(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      RunningGeneration running =
          model.start(
              prompt(5),
              GREEDY,
              piece -> {
                throw new UnsupportedOperationException("listener");
              });
      IllegalStateException failure = assertThrows(IllegalStateException.class, running::result);
      assertEquals("The generation failed: listener", failure.getMessage());
      assertEquals(60, model.generate(prompt(5), GREEDY).tokenIds().length);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void closingTheModelEndsWhatRunsAndRefusesWhatComes(int batch) throws IOException {
    LanguageModel model = load(batch);
    TextStream stream = model.stream(prompt(5), GREEDY.withMaxNewTokens(190));
    TextStream unread = model.stream(prompt(5), GREEDY);
    Iterator<String> pieces = stream.iterator();
    pieces.next();
    model.close();
    model.close();
    assertTrue(stream.result().tokenIds().length >= 1);
    String message = assertThrows(IllegalStateException.class, unread::result).getMessage();
    assertEquals("The model in " + folder + " is closed.", message);
    assertThrows(IllegalStateException.class, () -> model.generate(prompt(5), GREEDY));
    assertThrows(IllegalStateException.class, () -> model.generateAll(List.of(prompt(5)), GREEDY));
  }

  /** Nothing is asked of what it should have been written with. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aStreamThatIsClosedUnreadDoesNotFail(int batch) throws IOException {
    TokenConstraint impossible =
        budget -> {
          throw new IllegalArgumentException("The constraint cannot be met.");
        };
    try (LanguageModel model = load(batch)) {
      TextStream closed = model.stream(prompt(5), GREEDY.withConstraint(impossible));
      closed.close();
      assertEquals(FinishReason.CANCELLED, closed.result().finishReason());
      assertEquals(5, closed.result().promptTokens());
      try (TextStream cancelled = model.stream(prompt(5), GREEDY.withConstraint(impossible))) {
        cancelled.cancel();
        assertEquals("", cancelled.result().text());
      }
    }
  }

  /** Such as a chat, in which nothing can be said before. */
  @Test
  void whoReadsToTheEndFindsItToldAlsoWhereAnotherThreadCloses() throws Exception {
    CountDownLatch telling = new CountDownLatch(1);
    AtomicReference<Thread> reader = new AtomicReference<>();
    AtomicBoolean told = new AtomicBoolean();
    AtomicBoolean seen = new AtomicBoolean();
    try (Decoder decoder = Decoder.load(folder, 1)) {
      Request request =
          new Request(
              decoder,
              decoder,
              new LetterTokenizer(64),
              new int[] {1, 2, 3},
              60,
              GREEDY,
              decoder.pool());
      TextStream stream =
          new TextStream(
              new SoloWriting(request),
              answer -> {
                telling.countDown();
                while (reader.get() == null
                    || reader.get().isAlive() && reader.get().getState() != Thread.State.BLOCKED) {
                  Thread.onSpinWait();
                }
                told.set(true);
              });
      stream.iterator().next();
      Thread closer = new Thread(stream::close);
      closer.start();
      telling.await();
      Thread reading =
          new Thread(
              () -> {
                stream.forEach(piece -> {});
                seen.set(told.get());
              });
      reading.start();
      reader.set(reading);
      reading.join();
      closer.join();
      assertTrue(seen.get());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aGenerationThatFailsLeavesTheOthersAlone(int batch) throws IOException {
    TokenConstraint dead =
        budget ->
            new TokenConstraint.State() {
              private int length;

              @Override
              public void allow(java.util.BitSet allowed) {
                if (length < 5) {
                  allowed.set(1, 9);
                }
              }

              @Override
              public boolean mayEnd() {
                return false;
              }

              @Override
              public void advance(int tokenId) {
                length++;
              }
            };
    try (LanguageModel model = load(batch)) {
      TextStream good = model.stream(prompt(5), GREEDY);
      Iterator<String> pieces = good.iterator();
      pieces.next();
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () -> model.generate(prompt(4), GREEDY.withConstraint(dead)))
              .getMessage();
      assertTrue(message.startsWith("After 5 tokens"), message);
      assertEquals(60, good.result().tokenIds().length);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aFailureAtTheFirstTokenIsToldToWhoeverAsksAgain(int batch) throws IOException {
    int[] all = IntStream.range(0, 64).toArray();
    try (LanguageModel model = load(batch)) {
      TextStream stream = model.stream(prompt(4), GREEDY.withForbiddenTokens(all));
      String first = assertThrows(IllegalStateException.class, stream::result).getMessage();
      assertTrue(first.startsWith("After 0 tokens"), first);
      assertEquals(first, assertThrows(IllegalStateException.class, stream::result).getMessage());
      stream.close();
      assertEquals(first, assertThrows(IllegalStateException.class, stream::result).getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void thePromptMayBeOverwrittenAfterwards(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      int[] ids = model.tokenizer().encode(prompt(5));
      TextStream stream = model.stream(ids, GREEDY);
      Arrays.fill(ids, -5);
      assertEquals(model.generate(prompt(5), GREEDY).text(), stream.result().text());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void logProbabilitiesComeWithTheTokens(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      Generation generation = model.generate(prompt(5), GREEDY.withLogProbabilities(2));
      int[] ids =
          generation.logProbabilities().stream().mapToInt(TokenLogProbability::tokenId).toArray();
      assertArrayEquals(generation.tokenIds(), ids);
      for (TokenLogProbability token : generation.logProbabilities()) {
        // Greedy: the token is the first of its alternatives.
        assertEquals(token.tokenId(), token.alternatives().get(0).tokenId());
        assertEquals(token.logProbability(), token.alternatives().get(0).logProbability(), 1e-12);
        assertTrue(
            token.logProbability() >= token.alternatives().get(1).logProbability()
                && token.logProbability() < 0);
      }
      assertEquals(List.of(), model.generate(prompt(5), GREEDY).logProbabilities());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void forcedTokensBeginTheAnswer(int batch) throws IOException {
    try (LanguageModel model = load(batch)) {
      Generation forced = model.generate(prompt(5), GREEDY.withForcedTokens(9, 8, 7));
      assertArrayEquals(new int[] {9, 8, 7}, Arrays.copyOf(forced.tokenIds(), 3));
      int[] longer =
          IntStream.concat(
                  Arrays.stream(model.tokenizer().encode(prompt(5))), IntStream.of(9, 8, 7))
              .toArray();
      assertArrayEquals(
          model.generate(longer, GREEDY.withMaxNewTokens(57), piece -> {}).tokenIds(),
          Arrays.copyOfRange(forced.tokenIds(), 3, 60));
    }
  }
}

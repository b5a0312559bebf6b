package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.infer.constraint.TokenConstraint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts of different lengths that are computed together come out as each of them alone. */
class BatchTest {
  private static final LoadOptions ONE = LoadOptions.defaults().withThreads(1);
  private static final LetterTokenizer TOKENIZER = new LetterTokenizer(64);
  private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxNewTokens(20);

  @TempDir private Path folder;

  private static String prompt(int length, int start) {
    return TOKENIZER.decode(
        IntStream.range(0, length).map(i -> (start + 7 * i * i) % 64).toArray());
  }

  /** Prompts and answers of all lengths, greedy and drawn. */
  private static GenerationOptions options(int i) {
    return GenerationOptions.defaults()
        .withTemperature(i % 2)
        .withSeed(i)
        .withRepetitionPenalty(1.3)
        .withMaxNewTokens(1 + 11 * i % 60);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void severalPromptsGiveWhatEachGivesAlone(boolean choosesPositions) throws IOException {
    TestModel.TINY.write(folder, choosesPositions, TestModel.random(1), 5);
    List<String> prompts =
        IntStream.range(0, 20).mapToObj(i -> prompt(1 + 37 * i % 150, i)).toList();
    GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(40);
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER)) {
      List<Generation> together = model.generateAll(prompts, greedy);
      assertEquals(List.of(), model.generateAll(List.of(), greedy));
      assertEquals(20, together.size());
      for (int i = 0; i < 20; i++) {
        Generation alone = model.generate(prompts.get(i), greedy);
        assertEquals(alone.text(), together.get(i).text(), "prompt " + i);
        assertEquals(alone.finishReason(), together.get(i).finishReason(), "prompt " + i);
      }
    }
  }

  @Test
  void requestsThatComeAndGoDoNotDisturbEachOther() throws Exception {
    new TestModel(32, 2, 2, 1, 48, 64, 1000).write(folder, TestModel.random(1), -1);
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try (LanguageModel alone = LanguageModel.load(folder, ONE, TOKENIZER);
        LanguageModel batched = LanguageModel.load(folder, ONE.withBatchSize(4), TOKENIZER)) {
      List<Future<Generation>> running = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        int n = i;
        // Every tenth needs more room than the buffers have until then.
        String prompt = prompt(1 + 13 * i % 90 + (i % 10 == 9 ? 300 : 0), i);
        running.add(threads.submit(() -> batched.generate(prompt, options(n))));
      }
      for (int i = 0; i < 60; i++) {
        String prompt = prompt(1 + 13 * i % 90 + (i % 10 == 9 ? 300 : 0), i);
        assertArrayEquals(
            alone.generate(prompt, options(i)).tokenIds(),
            running.get(i).get().tokenIds(),
            "request " + i);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** What policy optimization asks for: several texts of one prompt, and how likely each was. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void drawnTextsComeWithTheirProbabilities(int batchSize) throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), 5);
    GenerationOptions drawn =
        GenerationOptions.defaults()
            .withTemperature(1)
            .withMaxNewTokens(30)
            .withLogProbabilities(0);
    int[] prompt = TOKENIZER.encode(prompt(6, 2));
    List<int[]> prompts = Collections.nCopies(10, prompt);
    try (LanguageModel model =
        LanguageModel.load(folder, ONE.withBatchSize(batchSize), TOKENIZER)) {
      List<Generation> texts = model.generateAll(prompts, drawn::withSeed);
      List<Generation> again = model.generateAll(prompts, drawn::withSeed);
      Set<List<Integer>> different = new HashSet<>();
      boolean ended = false;
      for (int i = 0; i < texts.size(); i++) {
        Generation text = texts.get(i);
        assertArrayEquals(text.tokenIds(), again.get(i).tokenIds());
        List<Integer> ids = new ArrayList<>();
        List<Double> found = new ArrayList<>();
        for (TokenLogProbability token : text.logProbabilities()) {
          ids.add(token.tokenId());
          found.add(token.logProbability());
        }
        assertEquals(Arrays.stream(text.tokenIds()).boxed().toList(), ids);
        if (text.finishReason() == FinishReason.END_OF_TEXT) {
          assertEquals(OptionalInt.of(5), text.endToken());
          assertEquals(5, text.ending().orElseThrow().tokenId());
          ids.add(5);
          found.add(text.ending().orElseThrow().logProbability());
          ended = true;
        } else {
          assertEquals(Optional.empty(), text.ending());
          assertEquals(OptionalInt.empty(), text.endToken());
        }
        different.add(ids);
        assertProbabilities(model, prompt, ids, found);
      }
      assertTrue(ended, "a text must end by itself");
      assertTrue(different.size() > 5, "seeds must differ, but gave " + different);
      GenerationOptions unasked = GenerationOptions.defaults().withMaxNewTokens(30).withSeed(1);
      assertEquals(Optional.empty(), model.generate(prompt, unasked).ending());
    }
  }

  /** A prompt that several answers share is computed once, which changes none of them. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void equalPromptsAreWrittenAsDifferentOnes(int batchSize) throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), 5);
    GenerationOptions drawn = GenerationOptions.defaults().withTemperature(1).withMaxNewTokens(12);
    List<int[]> prompts = new ArrayList<>();
    for (int length : new int[] {6, 6, 6, 3, 9, 9, 6, 3}) {
      prompts.add(TOKENIZER.encode(prompt(length, 2)));
    }
    try (LanguageModel model =
        LanguageModel.load(folder, ONE.withBatchSize(batchSize), TOKENIZER)) {
      List<Generation> together = model.generateAll(prompts, drawn::withSeed);
      for (int i = 0; i < prompts.size(); i++) {
        int seed = i;
        Generation one =
            model.generateAll(List.of(prompts.get(i)), any -> drawn.withSeed(seed)).get(0);
        assertArrayEquals(one.tokenIds(), together.get(i).tokenIds());
        assertEquals(prompts.get(i).length, together.get(i).promptTokens());
      }
      assertEquals(prompts.get(1).length, together.get(1).reusedTokens());
    }
  }

  /** Compares with what the model says of each beginning of the text. */
  private static void assertProbabilities(
      LanguageModel model, int[] prompt, List<Integer> ids, List<Double> found) {
    int[] text = Arrays.copyOf(prompt, prompt.length + ids.size());
    for (int i = 0; i < ids.size(); i++) {
      text[prompt.length + i] = ids.get(i);
    }
    List<TokenLogProbability> expected = model.score(TOKENIZER.decode(text));
    for (int i = 0; i < ids.size(); i++) {
      assertEquals(
          expected.get(prompt.length - 1 + i).logProbability(), found.get(i), 1e-5, "token " + i);
    }
  }

  @Test
  void textsThatOutgrowTheirBuffersGoOnAsAlone() throws IOException {
    new TestModel(32, 2, 2, 1, 48, 64, 1000).write(folder, TestModel.random(1), -1);
    GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(600);
    List<String> prompts = List.of(prompt(3, 1), prompt(100, 2), prompt(7, 3));
    try (LanguageModel alone = LanguageModel.load(folder, ONE, TOKENIZER);
        LanguageModel batched = LanguageModel.load(folder, ONE.withBatchSize(2), TOKENIZER)) {
      List<Generation> together = batched.generateAll(prompts, options);
      for (int i = 0; i < prompts.size(); i++) {
        Generation expected = alone.generate(prompts.get(i), options);
        assertEquals(600, expected.tokenIds().length);
        assertEquals(expected.text(), together.get(i).text());
      }
    }
  }

  @Test
  void morePromptsThanRowsReadByOneThreadDoNotBlock() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    try (LanguageModel model = LanguageModel.load(folder, ONE.withBatchSize(2), TOKENIZER)) {
      List<TextStream> streams = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        streams.add(model.stream(prompt(4, i), GenerationOptions.greedy().withMaxNewTokens(20)));
      }
      streams.forEach(stream -> stream.iterator().next());
      for (TextStream stream : streams) {
        assertEquals(20, stream.result().tokenIds().length);
      }
    }
  }

  @Test
  @Timeout(60)
  void anAnswerThatComesAfterTheEndIsCancelled() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    try (Decoder decoder = Decoder.load(folder, 1)) {
      BatchScheduler scheduler = BatchScheduler.start(decoder.pool(), 1);
      scheduler.close();
      Request request =
          new Request(
              this,
              decoder,
              TOKENIZER,
              new int[] {1, 2},
              20,
              GenerationOptions.greedy(),
              decoder.pool());
      // Two of them, so that the first must have given its place back.
      for (int i = 0; i < 2; i++) {
        Generation answer =
            new TextStream(new BatchedWriting(request, scheduler), e -> {}).result();
        assertEquals(FinishReason.CANCELLED, answer.finishReason());
        assertEquals(1, answer.tokenIds().length);
      }
    }
  }

  /** What ends a stream that waits for a row. */
  private enum End {
    CANCEL,
    CLOSE,
    INTERRUPT
  }

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aStreamThatWaitsForARowCanBeEnded(End end) throws Exception {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    CountDownLatch goOn = new CountDownLatch(1);
    GenerationOptions held =
        GenerationOptions.greedy().withConstraint(Held.after(1, () -> goOn.getCount() == 0));
    try (LanguageModel model = LanguageModel.load(folder, ONE.withBatchSize(2), TOKENIZER)) {
      try {
        for (int i = 0; i < 2; i++) {
          model.stream(prompt(4, i), held).iterator().next();
        }
        TextStream queued = model.stream(prompt(4, 2), GenerationOptions.greedy());
        BlockingQueue<Generation> result = new LinkedBlockingQueue<>();
        Thread reader = new Thread(() -> result.add(queued.result()));
        reader.start();
        while (reader.getState() != Thread.State.WAITING) {
          Thread.onSpinWait();
        }
        switch (end) {
          case CANCEL -> queued.cancel();
          case CLOSE -> queued.close();
          case INTERRUPT -> reader.interrupt();
        }
        assertEquals(FinishReason.CANCELLED, result.take().finishReason());
        assertEquals(0, queued.result().tokenIds().length);
      } finally {
        goOn.countDown();
      }
      // The one that left took no row with it.
      assertEquals(20, model.generateAll(List.of(prompt(3, 1)), GREEDY).get(0).tokenIds().length);
    }
  }

  @Test
  @Timeout(60)
  void oneThatFailsEndsAll() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    AtomicInteger begun = new AtomicInteger();
    TokenConstraint third =
        budget -> {
          if (begun.incrementAndGet() == 3) {
            throw new UnsupportedOperationException("the third");
          }
          return Held.after(1, () -> true).start(budget);
        };
    List<String> prompts = IntStream.range(0, 30).mapToObj(i -> prompt(4, i)).toList();
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER)) {
      assertEquals(
          "the third",
          assertThrows(
                  UnsupportedOperationException.class,
                  () -> model.generateAll(prompts, GREEDY.withConstraint(third)))
              .getMessage());
      assertEquals(3, begun.get());
      assertEquals(20, model.generate(prompts.get(0), GREEDY).tokenIds().length);
    }
  }

  @Test
  void aBadPromptIsRefusedBeforeAnythingIsComputed() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      model.generateAll(
                          List.of(prompt(3, 1), prompt(200, 1)), GenerationOptions.greedy()))
              .getMessage();
      assertTrue(message.startsWith("The prompt has 200 tokens"), message);
    }
  }

  @Test
  void greedyContinuationsEqualTheOriginals() throws IOException {
    JsonNode golden = Golden.read("generate.json");
    TestModel shape = TestModel.of(golden.required("config"));
    ObjectMapper json = new ObjectMapper();
    LetterTokenizer tokenizer = new LetterTokenizer(shape.vocabulary());
    int compared = 0;
    for (JsonNode wanted : golden.required("greedy")) {
      if (wanted.required("repetition_penalty").doubleValue() == 1) {
        shape.write(
            folder, Golden.weights("generate.safetensors"), wanted.required("eos").intValue());
        int[] ids = json.convertValue(wanted.required("prompt"), int[].class);
        int most = wanted.required("max_len").intValue() - ids.length;
        String prompt = tokenizer.decode(ids);
        try (LanguageModel model = LanguageModel.load(folder, ONE, tokenizer)) {
          List<Generation> answers =
              model.generateAll(
                  List.of(prompt.substring(0, 1), prompt, prompt + prompt.substring(0, 1), prompt),
                  GenerationOptions.greedy().withMaxNewTokens(most));
          int[] expected = json.convertValue(wanted.required("new_tokens"), int[].class);
          assertArrayEquals(expected, answers.get(1).tokenIds());
          assertArrayEquals(expected, answers.get(3).tokenIds());
        }
        compared++;
      }
    }
    assertTrue(compared > 0);
  }
}

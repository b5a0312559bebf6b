package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Prompts are computed in parts, which take turns, while other answers go on. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PromptTurnsTest {
  private static final int LONG = 900;

  @TempDir private Path folder;
  private Decoder decoder;
  private BatchScheduler scheduler;
  private BatchedWriting gate; // holds the turn, so that it is known who comes next

  /** An answer that is read on a thread of its own. */
  private final class Reading implements Buffers {
    final BlockingQueue<Integer> computed = new LinkedBlockingQueue<>();
    final BlockingQueue<Generation> result = new LinkedBlockingQueue<>();
    final TextStream stream;

    /** Begins to read, and waits until it waits for its turn. */
    Reading(int promptTokens) {
      stream = new TextStream(writing(promptTokens, this), end -> {});
      startWaiting(() -> result.add(stream.result()));
    }

    @Override
    public DecoderSession acquire(int[] promptIds, int length) {
      return decoder.pool().acquire(promptIds, length);
    }

    @Override
    public void release(DecoderSession text) {
      computed.add(text.length());
      decoder.pool().release(text);
    }
  }

  @BeforeEach
  void load() throws IOException {
    new TestModel(32, 2, 2, 1, 48, 64, 1000).write(folder, TestModel.random(1), -1);
    decoder = Decoder.load(folder, 1);
    scheduler = BatchScheduler.start(decoder.pool(), 3);
    gate = writing(1, decoder.pool());
    assertTrue(scheduler.prompts().take(gate));
  }

  @AfterEach
  void close() {
    scheduler.close();
    decoder.close();
  }

  private BatchedWriting writing(int promptTokens, Buffers buffers) {
    int[] ids = IntStream.range(0, promptTokens).map(i -> 7 * i * i % 64).toArray();
    GenerationOptions options = GenerationOptions.greedy();
    return new BatchedWriting(
        new Request(this, decoder, new LetterTokenizer(64), ids, 20, options, buffers), scheduler);
  }

  /** Each of those who wait computes a part. */
  private void letEachComputeAPart() throws InterruptedException {
    Thread next = startWaiting(() -> scheduler.prompts().take(gate));
    scheduler.prompts().give();
    next.join();
  }

  private static Thread startWaiting(Runnable action) {
    Thread thread = new Thread(action);
    thread.start();
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    return thread;
  }

  @Test
  void aLongPromptThatIsCancelledEndsWithItsPart() throws InterruptedException {
    Reading reading = new Reading(LONG);
    letEachComputeAPart();
    reading.stream.cancel();
    assertEquals(FinishReason.CANCELLED, reading.result.take().finishReason());
    assertEquals(DecoderSession.CHUNK, reading.computed.take());
  }

  @Test
  void aLongPromptHoldsUpNeitherShortOnesNorAnswers() throws InterruptedException {
    Reading slow = new Reading(LONG);
    Reading quick = new Reading(10);
    letEachComputeAPart();
    // No prompt can be computed now, and the answer comes to its end.
    assertEquals(20, quick.result.take().tokenIds().length);
    slow.stream.cancel();
    slow.result.take();
    assertEquals(DecoderSession.CHUNK, slow.computed.take());
  }

  @Test
  void aPromptInPartsGivesWhatItGivesAtOnce() throws InterruptedException {
    Reading reading = new Reading(LONG);
    scheduler.prompts().give();
    int[] ids = IntStream.range(0, LONG).map(i -> 7 * i * i % 64).toArray();
    IntStream.Builder alone = IntStream.builder();
    decoder.generate(ids, GenerationOptions.greedy().withMaxNewTokens(20), alone::add);
    assertEquals(
        IntStream.of(alone.build().toArray()).boxed().toList(),
        IntStream.of(reading.result.take().tokenIds()).boxed().toList());
  }
}

package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.minimind.files.JavaProcess;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class MemoryTest {
  @TempDir private Path folder;

  /** The number of generations is the system property {@code minimind.generations}, or 2,000. */
  @Test
  void manyGenerationsLeaveTheResidentMemoryFlat() throws Exception {
    Assumptions.assumeTrue(
        Files.exists(Path.of("/proc/self/status")), "this system does not tell resident memory");
    ExportedModel.write(folder);
    Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[-1]['content'] }}");
    JavaProcess.Result result = generate("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch");
    List<String> lines = result.output().lines().toList();
    assertEquals(0, result.status(), result.output());
    // No line but these two: nothing was left to the cleaner, which would warn.
    assertEquals(2, lines.size(), result.output());
    long before = Long.parseLong(lines.get(0));
    long after = Long.parseLong(lines.get(1));
    System.out.println("resident memory in KB: " + before + ", then " + after);
    // The buffers of one text are 18 KB, and there were at least 1,600 texts in between.
    assertTrue(after - before < 8 * 1024, before + " KB became " + after + " KB");
  }

  @Test
  void tooLittleMemoryOutsideOfTheHeapIsASentence() throws Exception {
    ExportedModel.write(folder);
    JavaProcess.Result result = generate("-XX:MaxDirectMemorySize=16k");
    assertEquals(1, result.status());
    String message = result.output();
    assertTrue(
        message.contains("IllegalStateException: There is no memory left outside of the Java heap"),
        message);
    assertTrue(message.contains("start Java with a larger -XX:MaxDirectMemorySize"), message);
  }

  private JavaProcess.Result generate(String... javaOptions) throws Exception {
    return JavaProcess.of(
            ManyGenerations.class, folder, System.getProperty("minimind.generations", "2000"))
        .with(javaOptions)
        // The second compiler's own memory would hide a leak.
        .with("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1")
        .run();
  }

  @Test
  void aTokenAllocatesLittleWhateverTheSizeOfVocabularyAndContext() throws IOException {
    long[] bytesPerToken = new long[2];
    for (int i = 0; i < 2; i++) {
      int vocabulary = i == 0 ? 64 : 6400;
      new TestModel(32, 2, 2, 1, 48, vocabulary, 600 + 1400 * i)
          .write(folder, TestModel.random(1), -1);
      try (Decoder decoder = Decoder.load(folder, 1)) {
        GenerationOptions options =
            GenerationOptions.defaults()
                .withRepetitionPenalty(1.1)
                .withTopK(20)
                .withTopP(0.9)
                .withMinP(0.01)
                .withForbiddenTokens(5);
        long few = allocated(decoder, options.withMaxNewTokens(100));
        long many = allocated(decoder, options.withMaxNewTokens(500));
        bytesPerToken[i] = (many - few) / 400;
      }
    }
    System.out.println("bytes per token: " + bytesPerToken[0] + " and " + bytesPerToken[1]);
    assertTrue(bytesPerToken[1] < 8192, bytesPerToken[1] + " bytes");
    assertTrue(bytesPerToken[1] < bytesPerToken[0] + 1024, "grows with vocabulary or context");
  }

  @Test
  void aPromptTakesRoomForOneRowOfLogits() throws IOException {
    int vocabulary = 20_000;
    new TestModel(16, 1, 1, 1, 16, vocabulary, 100).write(folder, TestModel.random(1), -1);
    try (Decoder decoder = Decoder.load(folder, 1)) {
      long before = directMemory();
      decoder.generate(new int[90], GenerationOptions.greedy().withMaxNewTokens(5), id -> {});
      long used = directMemory() - before;
      assertTrue(used < 2L * vocabulary * Float.BYTES, used + " bytes");
    }
  }

  @Test
  void memoryGrowsWithTheTextAndNotWithTheContext() throws IOException {
    int context = 16_384;
    new TestModel(32, 2, 2, 2, 48, 64, context).write(folder, TestModel.random(1), -1);
    long whole = 2L * 2 * 2 * 16 * context * Float.BYTES;
    List<Integer> written = new ArrayList<>();
    int[] prompt = {1, 2, 3};
    try (Decoder decoder = Decoder.load(folder, 1)) {
      long before = directMemory();
      decoder.generate(prompt, GenerationOptions.greedy().withMaxNewTokens(700), written::add);
      long used = directMemory() - before;
      assertEquals(700, written.size());
      // Buffers for 1,024 tokens, and those for half as many that are not collected yet.
      assertTrue(used < whole / 8, used + " of " + whole + " bytes");
    }
    // What was there when buffers grew is what is computed anew.
    try (Decoder decoder = Decoder.load(folder, 1)) {
      for (int length : new int[] {250, 256, 512, 690}) {
        int[] text = new int[prompt.length + length];
        System.arraycopy(prompt, 0, text, 0, prompt.length);
        for (int i = 0; i < length; i++) {
          text[prompt.length + i] = written.get(i);
        }
        List<Integer> next = new ArrayList<>();
        decoder.generate(text, GenerationOptions.greedy().withMaxNewTokens(5), next::add);
        assertEquals(written.subList(length, length + 5), next, "after " + length);
      }
    }
  }

  @Test
  void readingManyTextsTakesTheRoomOfOne() throws IOException {
    int vocabulary = 20_000;
    new TestModel(16, 1, 1, 1, 16, vocabulary, 100).write(folder, TestModel.random(1), -1);
    try (Decoder decoder = Decoder.load(folder, 1)) {
      long before = directMemory();
      for (int text = 0; text < 10; text++) {
        int[] ids = new int[90 - text];
        decoder.read(ids, (runtime, session) -> session.score(runtime, ids, (position, row) -> {}));
      }
      long used = directMemory() - before;
      assertTrue(used < 2L * 64 * vocabulary * Float.BYTES, used + " bytes");
    }
  }

  private static long directMemory() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  private static long allocated(Decoder decoder, GenerationOptions options) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    decoder.generate(new int[] {1, 2}, options, id -> {});
    long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    decoder.generate(new int[] {1, 2}, options, id -> {});
    return threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
  }

  @Test
  @Timeout(60)
  void aForgottenModelIsFreedWithAWarning() throws Exception {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    CountDownLatch warned = new CountDownLatch(2);
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            if (record.getMessage().contains("The model in " + folder + " was never closed")) {
              warned.countDown();
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("io.minimind.infer");
    logger.addHandler(handler);
    try {
      for (int batch : new int[] {1, 2}) {
        forget(batch);
      }
      while (!warned.await(20, TimeUnit.MILLISECONDS)) {
        System.gc();
      }
    } finally {
      logger.removeHandler(handler);
    }
  }

  private void forget(int batch) throws IOException {
    LanguageModel forgotten =
        LanguageModel.load(
            folder,
            LoadOptions.defaults().withThreads(1).withBatchSize(batch),
            new LetterTokenizer(64));
    forgotten.generate(
        new LetterTokenizer(64).decode(new int[] {1}),
        GenerationOptions.greedy().withMaxNewTokens(3));
  }
}

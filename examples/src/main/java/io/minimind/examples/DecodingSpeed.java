package io.minimind.examples;

import ai.onnxruntime.OrtEnvironment;
import com.sun.management.ThreadMXBean;
import io.minimind.artifact.ModelFolder;
import io.minimind.infer.Decoder;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LoadOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;

/**
 * How fast a decoder is; the best of several runs, because whatever else a machine does makes it
 * slower.
 *
 * @param loadSeconds to open the model
 * @param promptRate tokens of the long prompt a second
 * @param firstTokenSeconds from the long prompt to its first new token
 * @param rate tokens a second after the first one, sampling included
 * @param allocation bytes of Java heap for each of these tokens
 * @param memory the most memory of the process, or nothing where the system does not tell
 * @param bytes size of the model on disk
 */
record DecodingSpeed(
    double loadSeconds,
    double promptRate,
    double firstTokenSeconds,
    double rate,
    double allocation,
    String memory,
    long bytes) {

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  static String runtimeVersion() {
    // Bytedeco's build does not say.
    String version = OrtEnvironment.getEnvironment().getVersion();
    return version == null ? "for training" : version;
  }

  /**
   * @param folder holds a decoder without an end-of-text token, or any that seldom ends
   * @param prompt length of the prompt before the tokens that count
   * @param tokens new tokens, of which the first does not count
   */
  static DecodingSpeed measure(
      Path folder, LoadOptions loading, int prompt, int tokens, int longPrompt, int runs)
      throws IOException {
    PeakMemory.reset();
    long start = System.nanoTime();
    try (Decoder decoder = Decoder.load(folder, loading)) {
      double load = seconds(start);
      double first = Double.POSITIVE_INFINITY;
      double rate = 0;
      double allocation = Double.POSITIVE_INFINITY;
      for (int run = 0; run < runs; run++) {
        GenerationOptions options = GenerationOptions.defaults().withSeed(run);
        first = Math.min(first, firstToken(decoder, ids(decoder, longPrompt), options));
        Clock clock = new Clock();
        decoder.generate(ids(decoder, prompt), options.withMaxNewTokens(tokens), clock::tick);
        rate = Math.max(rate, clock.rate());
        allocation = Math.min(allocation, clock.allocation());
      }
      long bytes =
          Files.size(folder.resolve(ModelFolder.DECODER))
              + Files.size(folder.resolve(ModelFolder.WEIGHTS));
      String memory = PeakMemory.describe();
      return new DecodingSpeed(load, longPrompt / first, first, rate, allocation, memory, bytes);
    }
  }

  private static int[] ids(Decoder decoder, int length) {
    return new Random(1).ints(length, 3, decoder.vocabularySize()).toArray();
  }

  private static double firstToken(Decoder decoder, int[] ids, GenerationOptions options) {
    long start = System.nanoTime();
    decoder.generate(ids, options.withMaxNewTokens(1), id -> {});
    return seconds(start);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** What passes between the first token and the last. */
  private static final class Clock {
    private int tokens;
    private long startedAt;
    private long endedAt;
    private long allocatedBefore;
    private long allocatedAfter;

    void tick(int id) {
      endedAt = System.nanoTime();
      allocatedAfter = THREADS.getCurrentThreadAllocatedBytes();
      if (tokens++ == 0) {
        startedAt = endedAt;
        allocatedBefore = allocatedAfter;
      }
    }

    double rate() {
      return (tokens - 1) / ((endedAt - startedAt) / 1e9);
    }

    double allocation() {
      return (double) (allocatedAfter - allocatedBefore) / (tokens - 1);
    }
  }

  static String header(int longPrompt, boolean perplexity) {
    return "%-9s %9s %9s %13s %13s %9s %12s   %s%s"
        .formatted(
            "precision",
            "MB",
            "tokens/s",
            "prompt tok/s",
            "first of " + longPrompt,
            "load",
            "heap/token",
            "peak RSS",
            perplexity ? "  perplexity" : "");
  }

  String row(String name, Optional<Double> perplexity) {
    return String.format(
        Locale.ROOT,
        "%-9s %9.1f %9.0f %13.0f %10.0f ms %6.0f ms %10.0f B   %s%s",
        name,
        bytes / 1e6,
        rate,
        promptRate,
        1e3 * firstTokenSeconds,
        1e3 * loadSeconds,
        allocation,
        memory,
        perplexity.map("  %10.3f"::formatted).orElse(""));
  }
}

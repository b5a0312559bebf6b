package io.minimind.infer;

import java.util.Objects;

/**
 * How a model computes.
 *
 * @param threads threads that compute one step, at least 1 (default: as many as there are
 *     processors, up to 8)
 * @param provider what computes (default: the CPU)
 * @param batchSize the most generations that are computed together, 1 to 1024 (default 1: each by
 *     itself, on the thread that asks for it). With more, generations that run at the same time
 *     share each step, which makes all of them together faster, and each of them slower than it
 *     would be alone; further ones wait for a place.
 * @param keptTexts of how many texts that have ended the keys and values are kept, 0 to 1024
 *     (default 0), so that a text which begins as one of them computes only what is new. Each takes
 *     the memory of a text. What was kept is equal to what would be computed up to the last bits.
 */
public record LoadOptions(int threads, ExecutionProvider provider, int batchSize, int keptTexts) {
  /** A step of a small model is too short for more threads than this to help. */
  private static final int MOST_DEFAULT_THREADS = 8;

  /** Each place in a batch takes memory for its keys and values; more than this is a mistake. */
  private static final int LARGEST_BATCH = 1024;

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public LoadOptions {
    Objects.requireNonNull(provider, "provider");
    check(threads, "number of threads");
    check(batchSize, "batch size");
    if (keptTexts < 0 || keptTexts > LARGEST_BATCH) {
      throw new IllegalArgumentException(
          "The number of kept texts is %d but must be at least 0 and at most %d."
              .formatted(keptTexts, LARGEST_BATCH));
    }
    if (batchSize > LARGEST_BATCH) {
      throw new IllegalArgumentException(
          "The batch size is " + batchSize + " but must be at most " + LARGEST_BATCH + ".");
    }
  }

  private static void check(int value, String name) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "The " + name + " is " + value + " but must be at least 1.");
    }
  }

  public static LoadOptions defaults() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new LoadOptions(Math.min(MOST_DEFAULT_THREADS, processors), ExecutionProvider.CPU, 1, 0);
  }

  public LoadOptions withThreads(int value) {
    return new LoadOptions(value, provider, batchSize, keptTexts);
  }

  public LoadOptions withProvider(ExecutionProvider value) {
    return new LoadOptions(threads, value, batchSize, keptTexts);
  }

  public LoadOptions withBatchSize(int value) {
    return new LoadOptions(threads, provider, value, keptTexts);
  }

  public LoadOptions withKeptTexts(int value) {
    return new LoadOptions(threads, provider, batchSize, value);
  }
}

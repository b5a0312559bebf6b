package io.minimind.infer;

import io.minimind.files.ArgumentException;
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
 * @param checksums whether the files are compared with {@code SHA256SUMS}, where the folder has it
 *     (default true). It reads every file once more: some 2 ms for each megabyte.
 * @param foreignGraphs whether {@code model.onnx} may be another than this library writes (default
 *     false). ONNX Runtime trusts the graphs that it is given. With true, a damaged or hostile one
 *     can end the process, make it compute without end, or take all of its memory; and the weights
 *     are mapped from the file instead of read, so that changing it while the model is in use can
 *     end the process too. Give it only to graphs that you made yourself.
 */
public record LoadOptions(
    int threads,
    ExecutionProvider provider,
    int batchSize,
    boolean checksums,
    boolean foreignGraphs) {
  /** A step of a small model is too short for more threads than this to help. */
  private static final int MOST_DEFAULT_THREADS = 8;

  /** The runtime starts them all at once, and ends the process where the system has no more. */
  private static final int MOST_THREADS = 1024;

  /** Each place in a batch takes memory for its keys and values; more than this is a mistake. */
  private static final int LARGEST_BATCH = 1024;

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public LoadOptions {
    Objects.requireNonNull(provider, "provider");
    check(threads, "number of threads", MOST_THREADS);
    check(batchSize, "batch size", LARGEST_BATCH);
  }

  private static void check(int value, String name, int most) {
    if (value < 1 || value > most) {
      throw new ArgumentException(
          "The %s is %d but must be at least 1 and at most %d.".formatted(name, value, most));
    }
  }

  public static LoadOptions defaults() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new LoadOptions(
        Math.min(MOST_DEFAULT_THREADS, processors), ExecutionProvider.CPU, 1, true, false);
  }

  public LoadOptions withThreads(int value) {
    return new LoadOptions(value, provider, batchSize, checksums, foreignGraphs);
  }

  public LoadOptions withProvider(ExecutionProvider value) {
    return new LoadOptions(threads, value, batchSize, checksums, foreignGraphs);
  }

  public LoadOptions withBatchSize(int value) {
    return new LoadOptions(threads, provider, value, checksums, foreignGraphs);
  }

  public LoadOptions withChecksums(boolean value) {
    return new LoadOptions(threads, provider, batchSize, value, foreignGraphs);
  }

  public LoadOptions withForeignGraphs(boolean value) {
    return new LoadOptions(threads, provider, batchSize, checksums, value);
  }
}

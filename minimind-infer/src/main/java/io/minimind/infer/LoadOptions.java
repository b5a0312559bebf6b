package io.minimind.infer;

import io.minimind.files.ArgumentException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a model is loaded and computes. Immutable: each {@code with} method gives changed options and
 * throws {@link IllegalArgumentException} if the value is out of its range.
 */
public final class LoadOptions {
  /** A step of a small model is too short for more threads than this to help. */
  private static final int MOST_DEFAULT_THREADS = 8;

  /** The runtime starts them all at once, and ends the process where the system has no more. */
  private static final int MOST_THREADS = 1024;

  /** Each place in a batch takes memory for its keys and values; more than this is a mistake. */
  private static final int LARGEST_BATCH = 1024;

  private final Values values;

  private LoadOptions(Values values) {
    this.values = values;
  }

  /** Each generation by itself, on the CPU, of a folder that this library wrote. */
  public static LoadOptions defaults() {
    return new LoadOptions(new Values());
  }

  /** Threads that compute one step (default: as many as there are processors, up to 8). */
  public int threads() {
    return values.threads;
  }

  /**
   * @param value 1 to 1024
   */
  public LoadOptions withThreads(int value) {
    check(value, "number of threads", 1, MOST_THREADS);
    return with(changed -> changed.threads = value);
  }

  /** What computes (default: the CPU). */
  public ExecutionProvider provider() {
    return values.provider;
  }

  public LoadOptions withProvider(ExecutionProvider value) {
    Objects.requireNonNull(value, "provider");
    return with(changed -> changed.provider = value);
  }

  /**
   * The most generations that are computed together (default 1: each by itself, on the thread that
   * asks for it). With more, generations that run at the same time share each step, which makes all
   * of them together faster, and each of them slower than it would be alone; further ones wait for
   * a place.
   */
  public int batchSize() {
    return values.batchSize;
  }

  /**
   * @param value 1 to 1024
   */
  public LoadOptions withBatchSize(int value) {
    check(value, "batch size", 1, LARGEST_BATCH);
    return with(changed -> changed.batchSize = value);
  }

  /**
   * Of how many texts that have ended the keys and values are kept (default 0), so that a text
   * which begins as one of them computes only what is new. Each takes the memory of a text. What
   * was kept is equal to what would be computed up to the last bits.
   */
  public int keptTexts() {
    return values.keptTexts;
  }

  /**
   * @param value 0 to 1024
   */
  public LoadOptions withKeptTexts(int value) {
    check(value, "number of kept texts", 0, LARGEST_BATCH);
    return with(changed -> changed.keptTexts = value);
  }

  /**
   * Whether threads that wait for work keep a processor busy (default true): faster where nobody
   * else wants it, and slower where somebody does. Results are the same.
   */
  public boolean spinning() {
    return values.spinning;
  }

  public LoadOptions withSpinning(boolean value) {
    return with(changed -> changed.spinning = value);
  }

  /**
   * Whether the files are compared with {@code SHA256SUMS}, where the folder has it (default true).
   * It reads every file once more, which takes about a millisecond for each megabyte.
   */
  public boolean checksums() {
    return values.checksums;
  }

  public LoadOptions withChecksums(boolean value) {
    return with(changed -> changed.checksums = value);
  }

  /**
   * Whether the runtime maps matrices from their file while it makes its copies of them, instead of
   * getting them in memory of their own (default false). That saves as much memory as the file is
   * long, and up to half of the time; but if the file is cut while the model is loaded, the process
   * ends. What happens to it afterwards does no harm, but for a runtime that makes no copies.
   */
  public boolean mappedWeights() {
    return values.mappedWeights;
  }

  public LoadOptions withMappedWeights(boolean value) {
    return with(changed -> changed.mappedWeights = value);
  }

  /**
   * Whether {@code model.onnx} may be another than this library writes (default false). ONNX
   * Runtime trusts the graphs that it is given. With true, a damaged or hostile one can end the
   * process, make it compute without end, or take all of its memory; its weights are mapped. Give
   * it only to graphs that you made yourself.
   */
  public boolean foreignGraphs() {
    return values.foreignGraphs;
  }

  public LoadOptions withForeignGraphs(boolean value) {
    return with(changed -> changed.foreignGraphs = value);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LoadOptions options && values.all().equals(options.values.all());
  }

  @Override
  public int hashCode() {
    return values.all().hashCode();
  }

  /** All options and their values. */
  @Override
  public String toString() {
    return "LoadOptions" + values.all();
  }

  private LoadOptions with(Consumer<Values> change) {
    Values changed = new Values(values);
    change.accept(changed);
    return new LoadOptions(changed);
  }

  private static void check(int value, String name, int least, int most) {
    if (value < least || value > most) {
      throw new ArgumentException(
          "The %s is %d but must be at least %d and at most %d."
              .formatted(name, value, least, most));
    }
  }

  /** Written only before the options that hold it exist. */
  private static final class Values {
    private int threads =
        Math.min(MOST_DEFAULT_THREADS, Runtime.getRuntime().availableProcessors());
    private ExecutionProvider provider = ExecutionProvider.CPU;
    private int batchSize = 1;
    private int keptTexts;
    private boolean spinning = true;
    private boolean checksums = true;
    private boolean mappedWeights;
    private boolean foreignGraphs;

    Values() {}

    Values(Values other) {
      threads = other.threads;
      provider = other.provider;
      batchSize = other.batchSize;
      keptTexts = other.keptTexts;
      spinning = other.spinning;
      checksums = other.checksums;
      mappedWeights = other.mappedWeights;
      foreignGraphs = other.foreignGraphs;
    }

    private Map<String, Object> all() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("threads", threads);
      all.put("provider", provider);
      all.put("batchSize", batchSize);
      all.put("keptTexts", keptTexts);
      all.put("spinning", spinning);
      all.put("checksums", checksums);
      all.put("mappedWeights", mappedWeights);
      all.put("foreignGraphs", foreignGraphs);
      return all;
    }
  }
}

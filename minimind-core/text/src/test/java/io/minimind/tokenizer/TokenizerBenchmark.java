package io.minimind.tokenizer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Tokens a second. {@code tokenizer} and {@code corpus} are files or folders; of the corpus, each
 * line is a text. Without them, a small tokenizer encodes a few sentences.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class TokenizerBenchmark {

  /** What is counted beside the calls. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Counters {
    public long tokens;
  }

  @Param("")
  public String tokenizer;

  @Param("")
  public String corpus;

  private Tokenizer loaded;
  private List<String> texts;
  private int next;

  @Setup
  public void load() throws IOException {
    loaded = tokenizer.isEmpty() ? SmallTokenizer.load() : Tokenizer.load(Path.of(tokenizer));
    texts =
        corpus.isEmpty()
            ? List.of(
                "The stone rolled down the hill, and nobody said a word.",
                "小河慢慢地流过小镇，人们在桥上走来走去。今天天气很好，我们去看河。")
            : Files.readAllLines(Path.of(corpus), StandardCharsets.UTF_8);
  }

  /** One text after the other, on one thread. */
  @Benchmark
  public int[] encode(Counters counters) {
    int[] ids = loaded.encode(texts.get(next));
    next = next + 1 == texts.size() ? 0 : next + 1;
    counters.tokens += ids.length;
    return ids;
  }

  /** One text after the other, on one thread, with offsets. */
  @Benchmark
  public Encoding encodeWithOffsets(Counters counters) {
    Encoding encoding = loaded.encodeWithOffsets(texts.get(next));
    next = next + 1 == texts.size() ? 0 : next + 1;
    counters.tokens += encoding.ids().length;
    return encoding;
  }

  /** All texts, on all processors. */
  @Benchmark
  public List<int[]> encodeBatch(Counters counters) {
    List<int[]> all = loaded.encodeBatch(texts);
    for (int[] ids : all) {
      counters.tokens += ids.length;
    }
    return all;
  }

  /** Takes the options of JMH. */
  public static void main(String[] args) throws RunnerException, CommandLineOptionException {
    new Runner(
            new OptionsBuilder()
                .parent(new CommandLineOptions(args))
                .include(TokenizerBenchmark.class.getSimpleName())
                .build())
        .run();
  }
}

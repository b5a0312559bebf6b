package io.minimind.infer;

import io.minimind.tokenizer.StreamingDecoder;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** The time to turn one new token into text, over texts of random tokens. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StreamingDecoderBenchmark {

  private static final int LENGTH = 256;

  /** A folder with {@code tokenizer.json}, or that file. */
  @Param("../examples/data/tokenizer")
  public String tokenizer;

  private Tokenizer loaded;
  private int[] ids;

  @Setup
  public void load() throws IOException {
    loaded = Tokenizer.load(Path.of(tokenizer));
    ids = new Random(1).ints(LENGTH, 0, loaded.vocabularySize()).toArray();
  }

  @Benchmark
  @OperationsPerInvocation(LENGTH)
  public void next(Blackhole blackhole) {
    StreamingDecoder decoder = loaded.streamingDecoder();
    for (int id : ids) {
      blackhole.consume(decoder.next(id));
    }
    blackhole.consume(decoder.finish());
  }

  /** Takes the options of JMH. */
  public static void main(String[] args) throws RunnerException, CommandLineOptionException {
    new Runner(
            new OptionsBuilder()
                .parent(new CommandLineOptions(args))
                .include(StreamingDecoderBenchmark.class.getSimpleName())
                .build())
        .run();
  }
}

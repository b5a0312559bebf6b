package io.minimind.infer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
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

/** The time to choose one token from fresh logits. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SamplerBenchmark {

  @Param({"6400", "151936"})
  public int vocabulary;

  @Param({"greedy", "temperature", "top-k", "top-p", "min-p", "penalty"})
  public String choice;

  private FloatBuffer logits;
  private Sampler sampler;

  @Setup
  public void create() {
    Random random = new Random(1);
    ByteBuffer memory = ByteBuffer.allocateDirect(vocabulary * Float.BYTES);
    logits = memory.order(ByteOrder.nativeOrder()).asFloatBuffer();
    for (int i = 0; i < vocabulary; i++) {
      logits.put(i, (float) (3 * random.nextGaussian()));
    }
    GenerationOptions options = GenerationOptions.defaults().withSeed(1);
    options =
        switch (choice) {
          case "greedy" -> options.withTemperature(0);
          case "temperature" -> options;
          case "top-k" -> options.withTopK(50);
          case "top-p" -> options.withTopP(0.9);
          case "min-p" -> options.withMinP(0.05);
          case "penalty" -> options.withRepetitionPenalty(1.1);
          default -> throw new IllegalArgumentException(choice);
        };
    sampler = Sampler.of(options, vocabulary, vocabulary, Set.of(), 1);
  }

  @Benchmark
  public int next() {
    return sampler.next(logits);
  }

  /** Takes the options of JMH. */
  public static void main(String[] args) throws RunnerException, CommandLineOptionException {
    new Runner(
            new OptionsBuilder()
                .parent(new CommandLineOptions(args))
                .include(SamplerBenchmark.class.getSimpleName())
                .build())
        .run();
  }
}

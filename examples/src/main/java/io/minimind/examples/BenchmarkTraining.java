package io.minimind.examples;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.TokenShards;
import io.minimind.model.ModelConfig;
import io.minimind.model.ParameterInitializer;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.Replicas;
import io.minimind.runtime.TrainingSession;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.train.ProgressLine;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How fast a model trains on this machine, and how much of the machine that uses. */
@Command(
    name = "train",
    description = {
      "Measures training steps: forward pass, backward pass, clipping and Adam.",
      "First on full rows of random tokens; with --data also on a corpus, where only unmasked"
          + " tokens count, once in batches of similar lengths and once padded to the maximum"
          + " length.",
      "With several --devices, steps of one replica on the first device and of all replicas take"
          + " turns."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class BenchmarkTraining implements Callable<Integer> {

  private static final int DEFAULT_VOCABULARY = 6400;

  @Mixin private ModelOptions modelOptions;

  @Option(names = "--batch-size", paramLabel = "ROWS", description = "Rows of a batch.")
  private int batchSize = 4;

  @Option(names = "--length", paramLabel = "TOKENS", description = "Maximum length of a row.")
  private int length = 512;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps that count, after two that do not.")
  private int steps = 10;

  @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--devices",
      paramLabel = "LIST",
      converter = Devices.Converter.class,
      description = "Devices to train on, such as cpu, cpu:2 or cuda:0,cuda:1.")
  private Devices devices = Devices.CPU;

  @Option(names = "--data", paramLabel = "FILE", description = "Corpus to measure on as well.")
  private Path data;

  @Option(names = "--tokenizer", paramLabel = "DIR", description = "Folder with tokenizer.json.")
  private Path tokenizer;

  @Option(
      names = "--corpus-batch-size",
      paramLabel = "ROWS",
      description = "Rows of a batch of the corpus in batches of similar lengths.")
  private int corpusBatchSize = 16;

  @Option(names = "--cache", paramLabel = "DIR", description = "Encoded corpora.")
  private Path cache = Path.of("out", "cache");

  @Spec private CommandSpec spec;

  public static void main(String[] args) {
    MiniMind.run(new BenchmarkTraining(), args);
  }

  /** Supplies the batches of a measurement. */
  @FunctionalInterface
  private interface Batches {
    Batch next() throws IOException;
  }

  @Override
  public Integer call() throws IOException {
    if ((data == null) != (tokenizer == null)) {
      throw new ParameterException(spec.commandLine(), "--data and --tokenizer go together.");
    }
    if (steps < 1 || batchSize < 1 || corpusBatchSize < 1 || threads < 1 || length < 2) {
      throw new ParameterException(
          spec.commandLine(),
          "Steps, batch sizes and threads must be at least 1, the length at least 2.");
    }
    int vocabulary =
        tokenizer == null ? DEFAULT_VOCABULARY : Tokenizer.load(tokenizer).vocabularySize();
    ModelConfig config = modelOptions.config(vocabulary, length);
    double matrixRate = MatrixMultiplyRate.measure(threads);
    System.out.printf(
        Locale.ROOT,
        "%,d parameters, %d threads; this machine multiplies matrices at %.0f GFLOP/s%n",
        config.parameterCount(),
        threads,
        matrixRate / 1e9);
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      ModelInTraining.Files files = write(folder.path(), config);
      try (TrainingSession one = TrainingSession.open(files, devices.list().get(0), threads)) {
        if (devices.list().size() > 1) {
          replicas(files, one, config, matrixRate);
        } else {
          try (Batch rows = fullRows(vocabulary, 1)) {
            report(fullRows(), one, config, matrixRate, () -> rows);
          }
        }
        if (data != null) {
          corpus(one, config, matrixRate);
        }
      }
    }
    return 0;
  }

  private ModelInTraining.Files write(Path folder, ModelConfig config) throws IOException {
    TrainingArtifacts artifacts = new TrainingArtifacts(config);
    artifacts.write(folder, OptimizerSettings.DEFAULT);
    artifacts.writeReplicated(folder);
    Path checkpoint = folder.resolve("checkpoint");
    TrainingCheckpoint.of(ParameterInitializer.initialize(artifacts.parameters(), config, 1))
        .write(checkpoint);
    return new ModelInTraining.Files(checkpoint, folder);
  }

  /** One and all take turns, so that both see the same machine. */
  private void replicas(
      ModelInTraining.Files files, TrainingSession one, ModelConfig config, double matrixRate)
      throws IOException {
    int count = devices.list().size();
    List<Batch> batches = new ArrayList<>();
    for (int seed = 1; seed <= count; seed++) {
      batches.add(fullRows(config.vocabularySize(), seed));
    }
    PeakMemory.reset();
    try (Replicas all = Replicas.open(files, devices.list(), threads)) {
      TrainingSpeed speedOfOne = new TrainingSpeed(one, config);
      TrainingSpeed speedOfAll = new TrainingSpeed(all, config);
      boolean done = false;
      while (!done) {
        speedOfOne.step(batches.subList(0, 1), steps);
        done = speedOfAll.step(batches, steps);
      }
      print(fullRows() + " on " + devices.list().get(0), speedOfOne.describe(matrixRate));
      print(
          fullRows() + " on each of " + devices,
          "%s; %.2f times one; averaging %.1f %% of a step; %s"
              .formatted(
                  speedOfAll.describe(matrixRate),
                  speedOfAll.tokensPerSecond() / speedOfOne.tokensPerSecond(),
                  100 * speedOfAll.averagingShare(),
                  PeakMemory.describe()));
    }
  }

  private String fullRows() {
    return "full rows, %d x %d".formatted(batchSize, length);
  }

  private Batch fullRows(int vocabulary, long seed) {
    Random random = new Random(seed);
    int positions = batchSize * length;
    long[] ids = random.longs(positions + 1L, 3, vocabulary).toArray();
    float[] mask = new float[positions];
    Arrays.fill(mask, 1);
    return Batch.of(
        batchSize,
        length,
        Arrays.copyOf(ids, positions),
        Arrays.copyOfRange(ids, 1, positions + 1),
        mask);
  }

  private void corpus(TrainingSession session, ModelConfig config, double matrixRate)
      throws IOException {
    PretrainingEncoder encoder = PretrainingEncoder.load(tokenizer, length);
    ProgressLine progress = ProgressLine.onStandardError();
    TokenShards shards =
        TokenShards.openOrBuild(cache, data, encoder, new EncodingReport(data, progress));
    progress.clear();
    long rows = (long) (steps + 2) * Math.max(batchSize, corpusBatchSize);
    if (shards.size() < rows) {
      throw new IOException(
          "%s has %d rows, %d steps need %d: give fewer --steps or more rows."
              .formatted(data, shards.size(), steps, rows));
    }
    BatchOrder similar = BatchOrder.of(shards, corpusBatchSize, 1);
    try (BatchLoader loader = BatchLoader.start(similar, 0, 0)) {
      String name = "corpus, %d rows of similar lengths".formatted(corpusBatchSize);
      report(name, session, config, matrixRate, () -> loader.next().orElseThrow());
    }
    BatchOrder padded = BatchOrder.of(shards, batchSize, 1);
    try (BatchLoader loader = BatchLoader.startPadded(padded, 0, 0, length - 1)) {
      String name = "corpus, %d rows padded to %d".formatted(batchSize, length - 1);
      report(name, session, config, matrixRate, () -> loader.next().orElseThrow());
    }
  }

  private void report(
      String name, TrainingSession session, ModelConfig config, double matrixRate, Batches batches)
      throws IOException {
    PeakMemory.reset();
    TrainingSpeed speed = new TrainingSpeed(session, config);
    boolean done = false;
    while (!done) {
      try (Batch batch = batches.next()) {
        done = speed.step(List.of(batch), steps);
      }
    }
    print(name, speed.describe(matrixRate) + ", " + PeakMemory.describe());
  }

  private static void print(String name, String found) {
    System.out.printf(Locale.ROOT, "%-36s %s%n", name, found);
  }
}

package io.minimind.examples;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.Rows;
import io.minimind.data.TokenShards;
import io.minimind.distributed.Membership;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.KernelSet;
import io.minimind.runtime.ModelBuilder;
import io.minimind.runtime.ModelInTraining;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
          + " turns; with several --kernels, steps with each of them.",
      "With --nodes, or in several processes as launch starts them: what it takes to average the"
          + " gradients of all, and steps of all of them; on one machine also beside one process"
          + " with as many threads."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class BenchmarkTraining implements Callable<Integer>, Launchable {

  private static final int DEFAULT_VOCABULARY = 6400;
  private static final String NODES = "--nodes";

  /** Tokens of a row that is computed in no time. */
  private static final int SHORT = 16;

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
  private int threads =
      Math.max(1, Runtime.getRuntime().availableProcessors() / Membership.processesHere());

  @Option(
      names = "--devices",
      paramLabel = "LIST",
      converter = Devices.Converter.class,
      description = "Devices to train on, such as cpu, cpu:2 or cuda:0,cuda:1.")
  private Devices devices = Devices.CPU;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      split = ",",
      defaultValue = "float32",
      description = "Types of the matrix products, one or several of ${COMPLETION-CANDIDATES}.")
  private List<TrainingPrecision> precisions;

  @Option(
      names = "--kernels",
      paramLabel = "WHOSE",
      split = ",",
      defaultValue = "own",
      description = {
        "Whose kernels compute on the CPU, one or several of ${COMPLETION-CANDIDATES}: this"
            + " project's where there are any, or ONNX Runtime's alone."
      })
  private List<KernelSet> kernels;

  @Option(
      names = "--no-spinning",
      description = "Lets threads that wait for work sleep instead of keeping processors busy.")
  private boolean noSpinning;

  @Option(
      names = "--peak",
      paramLabel = "TFLOPS",
      description = {
        "What one device can do at most, in 10^12 floating point operations a second, to say how"
            + " much of it is used; on the CPU, matrix products are measured if it is not given."
      })
  private Double peak;

  @Option(names = "--data", paramLabel = "FILE", description = "Corpus to measure on as well.")
  private Path data;

  @Option(names = "--tokenizer", paramLabel = "DIR", description = "Folder of the tokenizer.")
  private Path tokenizer;

  @Option(
      names = "--corpus-batch-size",
      paramLabel = "ROWS",
      description = "Rows of a batch of the corpus in batches of similar lengths.")
  private int corpusBatchSize = 16;

  @Option(names = "--cache", paramLabel = "DIR", description = "Encoded corpora.")
  private Path cache = Path.of("out", "cache");

  @Option(
      names = NODES,
      paramLabel = "N",
      description = {
        "Measures in so many processes of this machine, which stand for as many machines; they"
            + " share its processors."
      })
  private int nodes = 1;

  @Spec private CommandSpec spec;

  public static void main(String[] args) {
    MiniMind.run(new BenchmarkTraining(), args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    check();
    if (nodes > 1 && Membership.of(System.getenv()).isEmpty()) { // This one starts the others.
      List<String> given = spec.commandLine().getParseResult().originalArgs();
      List<String> command = new ArrayList<>(List.of("bench", spec.name()));
      command.addAll(given.subList(given.indexOf(spec.name()) + 1, given.size()));
      return LocalProcesses.run(nodes, command);
    }
    try (ProcessGroup group = ProcessGroup.ofEnvironment()) {
      try {
        return call(group);
      } catch (IOException | RuntimeException e) {
        group.abort(e);
        throw e;
      }
    }
  }

  @Override
  public void check() throws IOException {
    Numbers.atLeast(1, NODES, nodes);
    if ((data == null) != (tokenizer == null)) {
      throw new ArgumentException("--data and --tokenizer go together: give both or none.");
    }
    Numbers.atLeast(1, "--steps", steps);
    Numbers.atLeast(1, "--batch-size", batchSize);
    Numbers.atLeast(1, "--corpus-batch-size", corpusBatchSize);
    Numbers.atLeast(1, "--threads", threads);
    Numbers.atLeast(2, "--length", length);
    if (peak != null && !(peak > 0 && Double.isFinite(peak))) {
      throw new ArgumentException("--peak must be a number above 0, but is " + peak + ".");
    }
    Device.require(devices.list());
    config();
  }

  private ModelConfig config() throws IOException {
    int vocabulary =
        tokenizer == null ? DEFAULT_VOCABULARY : Tokenizer.load(tokenizer).vocabularySize();
    return modelOptions.config(vocabulary, length);
  }

  private int call(ProcessGroup group) throws IOException {
    ModelConfig config = config();
    if (group.size() > 1) {
      for (TrainingPrecision precision : precisions) {
        measure(model(config, precision), config, precision, group);
      }
      return 0;
    }
    OptionalDouble peakOfOne = peakOfOne();
    System.out.printf(
        Locale.ROOT,
        "%,d parameters on %s, %d threads%s%s%n",
        config.parameterCount(),
        devices,
        threads,
        peakOfOne.isEmpty()
            ? ""
            : String.format(
                Locale.ROOT, "; one device does %.3g TFLOP/s", peakOfOne.getAsDouble() / 1e12),
        kernels.size() > 1 ? "" : "; " + used(kernels.get(0)).get(0).kernels(narrowest()));
    for (TrainingPrecision precision : precisions) {
      if (kernels.size() == 1) {
        measure(model(config, precision), config, precision, peakOfOne);
      } else {
        inTurns(config, precision, peakOfOne);
      }
    }
    return 0;
  }

  /** The precision that a device may have no instructions for. */
  private TrainingPrecision narrowest() {
    return precisions.stream()
        .filter(precision -> precision.products().isHalf())
        .findFirst()
        .orElse(precisions.get(0));
  }

  /** Steps with the kernels of each set take turns, so that all of them see the same machine. */
  private void inTurns(ModelConfig config, TrainingPrecision precision, OptionalDouble peakOfOne)
      throws IOException {
    List<ModelInTraining> sessions = new ArrayList<>();
    try {
      List<TrainingSpeed> speeds = new ArrayList<>();
      for (KernelSet set : kernels) {
        ModelInTraining session = model(config, precision, set).openOne();
        sessions.add(session);
        speeds.add(new TrainingSpeed(session, config, peakOfOne));
      }
      List<Batch> rows = List.of(fullRows(config.vocabularySize(), 1));
      boolean done = false;
      while (!done) {
        for (TrainingSpeed speed : speeds) {
          done = speed.step(rows, steps);
        }
      }
      for (int i = 0; i < speeds.size(); i++) {
        print(
            "%s, %d x %d, kernels: %s".formatted(precision, batchSize, length, kernels.get(i)),
            "%s, %.3f times the first"
                .formatted(
                    speeds.get(i), speeds.get(0).medianSeconds() / speeds.get(i).medianSeconds()));
      }
    } finally {
      sessions.forEach(ModelInTraining::close);
    }
  }

  private OptionalDouble peakOfOne() {
    if (peak != null) {
      return OptionalDouble.of(peak * 1e12);
    }
    return devices.list().get(0).kind() == Device.Kind.CPU
        ? OptionalDouble.of(MatrixMultiplyRate.measure(threads))
        : OptionalDouble.empty();
  }

  private ModelBuilder model(ModelConfig config, TrainingPrecision precision) {
    return model(config, precision, kernels.get(0));
  }

  private ModelBuilder model(ModelConfig config, TrainingPrecision precision, KernelSet set) {
    boolean tf32 = precision == TrainingPrecision.TF32;
    List<Device> used = used(set).stream().map(device -> device.withTf32(tf32)).toList();
    TrainingArtifacts graphs = new TrainingArtifacts(config).with(precision, used.get(0).target());
    return ModelInTraining.builder(graphs)
        .weights(new Parameters(config).start(1))
        .devices(used)
        .threads(threads);
  }

  private List<Device> used(KernelSet set) {
    return devices.list().stream()
        .map(device -> device.withKernels(set).withSpinning(!noSpinning))
        .toList();
  }

  private void measure(
      ModelBuilder model, ModelConfig config, TrainingPrecision precision, OptionalDouble peakOfOne)
      throws IOException {
    List<Device> used = devices.list();
    try (ModelInTraining one = model.openOne()) {
      TrainingSpeed alone = new TrainingSpeed(one, config, peakOfOne);
      String name = "%s, %d x %d".formatted(precision, batchSize, length);
      if (used.size() == 1) {
        PeakMemory.reset();
        Batch rows = fullRows(config.vocabularySize(), 1);
        alone.steps(steps, () -> rows);
        print(name, alone + ", " + memory(used));
      } else {
        replicas(name, model, used, alone, config, peakOfOne);
      }
      if (data != null) {
        corpus(precision + ", ", one, config, peakOfOne);
      }
    }
  }

  /** One and all take turns, so that both see the same machine. */
  private void replicas(
      String name,
      ModelBuilder model,
      List<Device> used,
      TrainingSpeed alone,
      ModelConfig config,
      OptionalDouble peakOfOne)
      throws IOException {
    List<Batch> batches = new ArrayList<>();
    for (int seed = 1; seed <= used.size(); seed++) {
      batches.add(fullRows(config.vocabularySize(), seed));
    }
    // The replicas on a CPU share its processors.
    int devicesOfTheirOwn = used.get(0).kind() == Device.Kind.CPU ? 1 : used.size();
    OptionalDouble peakOfAll =
        peakOfOne.isEmpty()
            ? peakOfOne
            : OptionalDouble.of(devicesOfTheirOwn * peakOfOne.getAsDouble());
    PeakMemory.reset();
    try (ModelInTraining all = model.open()) {
      TrainingSpeed together = new TrainingSpeed(all, config, peakOfAll);
      boolean done = false;
      while (!done) {
        alone.step(batches.subList(0, 1), steps);
        done = together.step(batches, steps);
      }
      print(name + " on " + used.get(0), alone.toString());
      double ratio = together.tokensPerSecond() / alone.tokensPerSecond();
      print(
          name + " on each of " + devices,
          String.format(
              Locale.ROOT,
              "%s, %.2f times one%s, averaging %s %.1f %% of a step, %s",
              together,
              ratio,
              devicesOfTheirOwn == 1
                  ? " with all threads"
                  : String.format(
                      Locale.ROOT, " (efficiency %.0f %%)", 100 * ratio / devicesOfTheirOwn),
              all.averaging(),
              100 * together.averagingShare(),
              memory(used) + ", one alone included"));
    }
  }

  /** Steps of several processes, of which the first one tells. */
  private void measure(
      ModelBuilder model, ModelConfig config, TrainingPrecision precision, ProcessGroup group)
      throws IOException {
    String name = "%s, %d x %d".formatted(precision, batchSize, length);
    TrainingSpeed together;
    try (ModelInTraining all = model.group(group).open()) {
      // What there is to compute must not be waited for.
      TrainingSpeed averaging = steps(all, config, 1, Math.min(length, SHORT));
      together = steps(all, config, batchSize, length);
      if (group.isFirst()) {
        System.out.printf(
            Locale.ROOT,
            "%,d parameters, %d replicas in %d processes, %d threads in each, gradients as %s%n",
            config.parameterCount(),
            all.replicas(),
            group.size(),
            threads,
            group.wire().toString().toLowerCase(Locale.ROOT));
        print(
            "averaging %.1f MB".formatted(config.parameterCount() * Float.BYTES / 1e6),
            String.format(Locale.ROOT, "median %.0f ms", 1e3 * averaging.medianAveragingSeconds()));
        print(
            name,
            String.format(
                Locale.ROOT,
                "%s, averaging %s %.0f ms, %.1f %% of a step, waiting included",
                together,
                all.averaging(),
                1e3 * together.averagingSeconds() / steps,
                100 * together.averagingShare()));
      }
    }
    if (Membership.processesHere() == group.size()) {
      if (group.isFirst()) {
        besideOne(name, config, precision, together);
      }
      group.await();
    }
  }

  private TrainingSpeed steps(ModelInTraining all, ModelConfig config, int rows, int tokens) {
    List<Batch> batches = new ArrayList<>();
    for (int seed = 1; seed <= all.replicas(); seed++) {
      batches.add(fullRows(config.vocabularySize(), seed, rows, tokens));
    }
    TrainingSpeed speed = new TrainingSpeed(all, config, OptionalDouble.empty());
    boolean done = false;
    while (!done) {
      done = speed.step(batches, steps);
    }
    return speed;
  }

  /** One process that has the threads of all, which wait meanwhile. */
  private void besideOne(
      String name, ModelConfig config, TrainingPrecision precision, TrainingSpeed together)
      throws IOException {
    int all = threads * Membership.processesHere();
    try (ModelInTraining one = model(config, precision).threads(all).openOne()) {
      TrainingSpeed alone = steps(one, config, batchSize, length);
      print(
          "%s, one process of %d threads".formatted(name, all),
          String.format(
              Locale.ROOT,
              "%s, so the efficiency of several is %.0f %%",
              alone,
              100 * together.tokensPerSecond() / alone.tokensPerSecond()));
    }
  }

  private static String memory(List<Device> used) throws IOException {
    return used.get(0).kind() == Device.Kind.CPU ? PeakMemory.describe() : GpuMemory.describe(used);
  }

  private Batch fullRows(int vocabulary, long seed) {
    return fullRows(vocabulary, seed, batchSize, length);
  }

  private static Batch fullRows(int vocabulary, long seed, int rows, int length) {
    Random random = new Random(seed);
    int positions = rows * length;
    long[] ids = random.longs(positions + 1L, 3, vocabulary).toArray();
    float[] mask = new float[positions];
    Arrays.fill(mask, 1);
    return Batch.of(
        rows,
        length,
        Arrays.copyOf(ids, positions),
        Arrays.copyOfRange(ids, 1, positions + 1),
        mask);
  }

  private void corpus(
      String name, ModelInTraining session, ModelConfig config, OptionalDouble peakOfOne)
      throws IOException {
    PretrainingEncoder encoder = PretrainingEncoder.load(tokenizer, length);
    ProgressLine progress = ProgressLine.onStandardError();
    TokenShards shards =
        TokenShards.openOrBuild(
            cache,
            Rows.of(data),
            encoder,
            (read, size, rows, tokens) -> progress.show("encoding " + ProgressBar.of(read, size)));
    progress.clear();
    long needed = (long) (steps + 2) * Math.max(batchSize, corpusBatchSize);
    if (shards.size() < needed) {
      throw new InputException(
          "%s has %d rows, %d steps need %d: give fewer --steps or more rows."
              .formatted(data, shards.size(), steps, needed));
    }
    BatchOrder similar = BatchOrder.of(shards, corpusBatchSize, 1);
    try (BatchLoader loader = BatchLoader.start(similar, 0, 0)) {
      TrainingSpeed speed = new TrainingSpeed(session, config, peakOfOne);
      speed.steps(steps, () -> loader.next().orElseThrow());
      print("%scorpus, %d rows of similar lengths".formatted(name, corpusBatchSize), "" + speed);
    }
    BatchOrder padded = BatchOrder.of(shards, batchSize, 1);
    try (BatchLoader loader = BatchLoader.startPadded(padded, 0, 0, length - 1)) {
      TrainingSpeed speed = new TrainingSpeed(session, config, peakOfOne);
      speed.steps(steps, () -> loader.next().orElseThrow());
      print("%scorpus, %d rows padded to %d".formatted(name, batchSize, length - 1), "" + speed);
    }
  }

  private static void print(String name, String found) {
    System.out.printf(Locale.ROOT, "%-45s %s%n", name, found);
  }
}

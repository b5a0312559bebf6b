package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.examples.TrainingRun.Workplace;
import io.minimind.infer.GenerationOptions;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Cuda;
import io.minimind.runtime.CudaSettings;
import io.minimind.runtime.Device;
import io.minimind.task.Task;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.train.ConsoleReport;
import io.minimind.train.ProgressLine;
import io.minimind.train.RunFolder;
import io.minimind.train.RunSettings;
import io.minimind.train.SampleTexts;
import io.minimind.train.StartWeights;
import io.minimind.train.TrainingListener;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * What the stages of training have in common: a run in a folder that is trained, interrupted and
 * resumed. A stage says what it starts from and how rows become samples.
 */
@Command(mixinStandardHelpOptions = true, sortOptions = false, showDefaultValues = true)
abstract class TrainingCommand implements Callable<Integer> {

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of the run.", order = 10)
  private Path out;

  @Option(
      names = "--resume",
      order = 11,
      description =
          "Goes on with the run in --out, with its settings, from its last checkpoint. Where its"
              + " data has moved, --data and --validation say where it is now.")
  private boolean resume;

  @Option(
      names = "--validation",
      paramLabel = "FILE",
      order = 12,
      description = "Corpus to validate on, which the model does not learn from.")
  private Path validation;

  @Option(
      names = "--validation-fraction",
      paramLabel = "SHARE",
      order = 13,
      description =
          "Share of the rows of --data to hold out for validation where there is no such file.")
  private double validationFraction;

  @Mixin private TrainingOptions trainingOptions;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      order = 50,
      description = "Encoded corpora, used again while nothing changes.")
  private Path cache = Path.of("out", "cache");

  @Option(
      names = "--log-every",
      paramLabel = "UPDATES",
      order = 51,
      description = "Updates between two log lines.")
  private int logEvery = 100;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      order = 52,
      description = "What to let the model write after each checkpoint, one text in a line.")
  private Path prompts;

  @Option(
      names = "--threads",
      paramLabel = "N",
      order = 53,
      description = "Threads to compute with; one for each processor unless given.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      order = 43,
      description = {
        "Type of the matrix products: ${COMPLETION-CANDIDATES}. Weights and Adam's moments stay"
            + " float32. Half precision is meant for GPUs; a CPU computes the same numbers, slowly."
      })
  private TrainingPrecision precision = TrainingPrecision.FLOAT32;

  @Option(
      names = "--devices",
      paramLabel = "LIST",
      order = 54,
      converter = Devices.Converter.class,
      description = {
        "Devices to train on, a replica of the model on each: cpu, cpu:2 for two on the CPU,"
            + " cuda:0,cuda:1 for two GPUs."
      })
  private Devices devices = Devices.CPU;

  @Option(
      names = "--cuda-memory",
      paramLabel = "MIB",
      order = 55,
      description = {
        "Memory that training may take on its GPU, and evaluation and the optimizer as much each;"
            + " all unless given."
      })
  private Integer cudaMemory;

  @Spec private CommandSpec spec;

  /** The options that may differ when a run is resumed. */
  private static final Set<String> RESUMABLE =
      Set.of(
          "--resume",
          "--out",
          "--data",
          "--validation",
          "--cache",
          "--log-every",
          "--prompts",
          "--threads",
          "--devices",
          "--cuda-memory");

  /** Those among them that need not be given again. */
  private static final Set<String> REMEMBERED =
      Set.of("--resume", "--out", "--data", "--validation");

  private final ProgressLine progress = ProgressLine.onStandardError();

  /**
   * @param out default of --out
   * @param learningRate default of --learning-rate
   */
  TrainingCommand(Path out, float learningRate) {
    this(out, new TrainingOptions(learningRate));
  }

  /**
   * @param out default of --out
   * @param trainingOptions with the stage's defaults
   */
  TrainingCommand(Path out, TrainingOptions trainingOptions) {
    this.out = out;
    this.trainingOptions = trainingOptions;
  }

  /**
   * What a new run is made from.
   *
   * @param lora the adapters to train in place of the weights, if any
   * @param data the corpus
   * @param tokenizer the folder of the tokenizer
   */
  record Origin(
      Task task, ModelConfig model, Optional<LowRankAdapters> lora, Path data, Path tokenizer) {

    /** Without adapters. */
    Origin(Task task, ModelConfig model, Path data, Path tokenizer) {
      this(task, model, Optional.empty(), data, tokenizer);
    }
  }

  /** What a new run is made from, according to the options. */
  abstract Origin origin() throws IOException;

  /** The weights of a new run; it has the model of {@link #origin}. */
  abstract List<NamedTensor> startWeights(RunSettings settings) throws IOException;

  /** What to do with the model when it is trained: words, and a command that takes --model. */
  abstract String advice();

  @Override
  public final Integer call() throws IOException {
    ConsoleReport report = new ConsoleReport(System.out, progress, logEvery);
    List<String> texts = prompts == null ? List.of() : Prompts.read(prompts);
    if (threads < 1) {
      throw refused("--threads must be at least 1, but is " + threads + ".");
    }
    List<Device> used = devices();
    Cuda.require(used);
    Workplace workplace =
        new Workplace(GivenCommand.of(spec), cache, used, threads, System.out, progress);
    try (TrainingRun run = resume ? resumed(workplace) : begun(workplace)) {
      return train(run, report, texts);
    }
  }

  private TrainingRun begun(Workplace workplace) throws IOException {
    Origin origin = origin();
    return TrainingRun.create(
        out, newSettings(origin), origin.tokenizer(), this::startWeights, workplace);
  }

  private TrainingRun resumed(Workplace workplace) throws IOException {
    rejectSettings();
    RunFolder folder = RunFolder.open(out);
    requireTask(folder.settings().task());
    return TrainingRun.resume(folder, moved(folder.settings()), workplace);
  }

  /** The settings of a run with the places of its data that options give. */
  private RunSettings moved(RunSettings begun) {
    if (validation != null && begun.validationData().isEmpty()) {
      throw refused("The run in " + out + " began without --validation: leave it out.");
    }
    Path data = spec.findOption("--data").getValue();
    return begun.withFiles(
        begun.task(),
        data == null ? Path.of(begun.data()) : data,
        begun.validationData().map(file -> validation == null ? Path.of(file) : validation));
  }

  private List<Device> devices() {
    try {
      CudaSettings cuda =
          cudaMemory == null
              ? CudaSettings.defaults()
              : CudaSettings.defaults().withMemory(cudaMemory);
      return devices.list().stream().map(device -> device.with(cuda)).toList();
    } catch (IllegalArgumentException e) {
      throw refused("--cuda-memory: " + e.getMessage());
    }
  }

  private int train(TrainingRun run, ConsoleReport report, List<String> texts) throws IOException {
    RunFolder folder = run.folder();
    RunSettings settings = folder.settings();
    long updates = run.state().update();
    System.out.printf(Locale.ROOT, "LLM总参数量：%.3f 百万%n", settings.model().parameterCount() / 1e6);
    if (settings.lora().isPresent()) {
      System.out.printf(Locale.ROOT, "LoRA参数量：%.3f 百万%n", settings.trainedParameters() / 1e6);
    }
    System.out.printf(
        Locale.ROOT,
        "%s on %d rows, %s, %d threads%n",
        updates == 0 ? "Training" : "Going on after " + updates + " updates",
        run.rows(),
        devices,
        threads);
    return Interruptible.run(
        interrupted -> {
          List<TrainingListener> listeners = new ArrayList<>(List.of(report));
          if (!texts.isEmpty()) {
            listeners.add(sampleTexts(folder, texts, interrupted));
          }
          if (run.train(listeners, interrupted)) {
            System.out.printf(
                "The model is in %s, its loss curve in %s.%n", folder.path(), folder.chart());
            System.out.println(
                advice() + " --model " + GivenCommand.quoted(folder.path().toString()));
          } else {
            System.out.println(
                "Go on with: ./minimind " + spec.name() + " --resume" + resumableOptions());
          }
          return 0;
        });
  }

  private static SampleTexts sampleTexts(
      RunFolder run, List<String> texts, BooleanSupplier interrupted) throws IOException {
    GenerationOptions options =
        GenerationOptions.defaults()
            .withTopK(8)
            .withMaxNewTokens(100)
            .withSeed(run.settings().training().seed());
    return new SampleTexts(
        run.path(),
        run.samples(),
        texts,
        run.settings().task().promptForm(run.path()),
        options,
        System.out,
        interrupted);
  }

  private RunSettings newSettings(Origin origin) {
    if (validation != null && validationFraction != 0) {
      throw refused("Give --validation or --validation-fraction, not both.");
    }
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw refused(
          "--validation-fraction must be at least 0 and less than 1, but is %s."
              .formatted(validationFraction));
    }
    return new RunSettings(
        origin.task(),
        origin.model(),
        origin.lora(),
        precision,
        trainingOptions.settings(devices.list().size()),
        origin.data().toAbsolutePath().toString(),
        Optional.ofNullable(validation).map(file -> file.toAbsolutePath().toString()),
        validationFraction,
        0,
        List.of());
  }

  /**
   * The configuration of the model that a run starts from.
   *
   * @throws IOException if the folder is no complete model
   * @throws ParameterException if the run would overwrite that model
   */
  final ModelConfig startModel(Path from) throws IOException {
    if (Files.exists(out) && Files.exists(from) && Files.isSameFile(out, from)) {
      throw refused("--out must be another folder than --from, whose model it would replace.");
    }
    ModelConfig model = ModelConfig.read(from.resolve(ModelFolder.CONFIG));
    int tokens = Tokenizer.load(from).vocabularySize();
    if (tokens > model.vocabularySize()) {
      throw new IOException(
          "%s mixes two models: its tokenizer has %d tokens, its config.json only %d."
              .formatted(from, tokens, model.vocabularySize()));
    }
    StartWeights.of(from, model); // Says what is wrong before the corpus is encoded.
    return model;
  }

  /** The adapters that options ask for. */
  final Optional<LowRankAdapters> adapters(LoraOptions options) {
    try {
      return options.adapters();
    } catch (IllegalArgumentException e) {
      throw refused(e.getMessage());
    }
  }

  /** An error of the command line. */
  final ParameterException refused(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  private void requireTask(Task task) throws IOException {
    if (!task.name().equals(spec.name())) {
      throw new IOException(
          "%s holds a run of another stage: go on with ./minimind %s --resume --out=%s"
              .formatted(out, task.name(), GivenCommand.quoted(out.toString())));
    }
  }

  /** Settings come from the run that is resumed: changing them half-way is refused. */
  private void rejectSettings() {
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      if (!RESUMABLE.contains(option.longestName())) {
        throw refused(
            "--resume goes on with the settings in %s: leave out %s."
                .formatted(out.resolve("settings.json"), option.longestName()));
      }
    }
  }

  /** What a resumed run must be told again, the number of threads above all. */
  private String resumableOptions() {
    StringBuilder options = new StringBuilder(" --out=" + GivenCommand.quoted(out.toString()));
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      String name = option.longestName();
      if (RESUMABLE.contains(name) && !REMEMBERED.contains(name)) {
        String value = option.<Object>getValue().toString();
        options.append(' ').append(name).append('=').append(GivenCommand.quoted(value));
      }
    }
    return options.toString();
  }
}

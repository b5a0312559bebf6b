package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.data.Rows;
import io.minimind.distributed.Membership;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.Device;
import io.minimind.runtime.KernelSet;
import io.minimind.task.Task;
import io.minimind.train.RunBuilder;
import io.minimind.train.RunSettings;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What the stages of training have in common: a run in a folder that is trained, interrupted and
 * resumed. A stage says what it starts from and how rows become samples.
 */
@Command(mixinStandardHelpOptions = true, sortOptions = false, showDefaultValues = true)
abstract class TrainingCommand implements Callable<Integer>, Launchable {

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
      names = "--resume-or-begin",
      order = 11,
      description =
          "Goes on with the run in --out, or begins it if there is none: for a command that is"
              + " started again whenever it has failed, as torchrun and Kubernetes do.")
  private boolean resumeOrBegin;

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
      description =
          "Threads to compute with; one for each processor unless given, of which several processes"
              + " on one machine have a part each.")
  private int threads =
      Math.max(1, Runtime.getRuntime().availableProcessors() / Membership.processesHere());

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      order = 43,
      converter = ChosenPrecision.Converter.class,
      completionCandidates = ChosenPrecision.Candidates.class,
      description = ChosenPrecision.DESCRIPTION)
  private ChosenPrecision precision = ChosenPrecision.FLOAT32;

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
      names = "--kernels",
      paramLabel = "WHOSE",
      order = 54,
      description = {
        "Whose kernels compute on the CPU, ${COMPLETION-CANDIDATES}: this project's where there are"
            + " any, or ONNX Runtime's alone. Results differ in their last bits."
      })
  private KernelSet kernels = KernelSet.OWN;

  @Option(
      names = "--no-spinning",
      order = 54,
      description = {
        "Lets threads that wait for work sleep. They keep processors busy otherwise, which is"
            + " faster unless other processes want these."
      })
  private boolean noSpinning;

  @Option(
      names = "--cuda-memory",
      paramLabel = "MIB",
      order = 55,
      showDefaultValue = Visibility.NEVER,
      description = {
        "Memory that training may take on its GPU, and evaluation and the optimizer as much each;"
            + " all unless given."
      })
  private int cudaMemory = Device.ALL_MEMORY;

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
          "--kernels",
          "--no-spinning",
          "--cuda-memory");

  /** Those among them that need not be given again. */
  private static final Set<String> REMEMBERED =
      Set.of("--resume", "--out", "--data", "--validation");

  private final ProgressLine progress = ProgressLine.onStandardError();

  /**
   * @param out default of --out
   * @param trainingOptions with the stage's defaults
   */
  TrainingCommand(Path out, TrainingOptions trainingOptions) {
    this.out = out;
    this.trainingOptions = trainingOptions;
  }

  /** The corpus, or null if it is not given. */
  abstract Path data();

  /** Adds to a builder what a new run is made from, according to the options. */
  abstract void begin(RunBuilder run) throws IOException;

  /** The name of the task of its runs. */
  String task() {
    return spec.name();
  }

  /**
   * What to do with the model when it is trained: words, and a command.
   *
   * @param model its folder, quoted
   */
  String advice(String model) {
    return "Talk to it: ./minimind chat --model " + model;
  }

  @Override
  public final Integer call() throws IOException {
    try (ProcessGroup group = ProcessGroup.ofEnvironment()) {
      try {
        return call(group);
      } catch (IOException | RuntimeException e) {
        group.abort(e);
        throw e;
      }
    }
  }

  private int call(ProcessGroup group) throws IOException {
    // Of several processes the first one speaks; the others say only why they fail.
    PrintStream words = ofFirst(group, System.out);
    RunBuilder builder = given(group).listener(new ConsoleReport(words, progress, logEvery));
    try (TrainingRun run = open(builder)) {
      return train(run, words, group);
    } finally {
      progress.clear();
    }
  }

  @Override
  public final void check() throws IOException {
    given(ProcessGroup.alone());
  }

  /** The run that the options ask for. */
  private RunBuilder given(ProcessGroup group) throws IOException {
    RunBuilder builder =
        TrainingRun.builder()
            .folder(out)
            .cache(cache)
            .prompts(prompts == null ? List.of() : Prompts.read(prompts))
            .devices(devices())
            .threads(threads)
            .group(group)
            .command(GivenCommand.of(spec));
    Device.require(devices.list());
    if (resume) {
      addToResume(builder, group);
    } else {
      addToBegin(builder, group);
    }
    return builder;
  }

  private static PrintStream ofFirst(ProcessGroup group, PrintStream words) {
    return group.isFirst() ? words : new PrintStream(OutputStream.nullOutputStream());
  }

  private TrainingRun open(RunBuilder builder) throws IOException {
    if (resume) {
      return builder.resume();
    }
    return resumeOrBegin ? builder.open() : builder.create();
  }

  private void addToBegin(RunBuilder builder, ProcessGroup group) throws IOException {
    begin(builder);
    if (group.isFirst() && !resumeOrBegin && TrainingRun.isIn(out)) {
      throw new InputException(
          out + " already holds a run: continue it with --resume, or choose another --out.");
    }
    if (validation != null && validationFraction != 0) {
      throw new ArgumentException("Give --validation or --validation-fraction, not both.");
    }
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new ArgumentException(
          "--validation-fraction must be at least 0 and less than 1, but is %s."
              .formatted(validationFraction));
    }
    if (validation != null) {
      builder.validation(Rows.of(validation));
    }
    builder
        .rows(Rows.of(data()))
        .validation(validationFraction)
        .settings(trainingOptions.settings());
    precision.of(builder);
  }

  private void addToResume(RunBuilder builder, ProcessGroup group) throws IOException {
    rejectSettings();
    if (group.isFirst()) { // The folder may be on its machine alone.
      RunSettings begun = TrainingRun.settings(out);
      requireTask(begun.task());
      if (validation != null && begun.validationData().isEmpty()) {
        throw new ArgumentException(
            "The run in " + out + " began without --validation: leave it out.");
      }
    }
    if (data() != null) {
      builder.rows(Rows.of(data()));
    }
    if (validation != null) {
      builder.validation(Rows.of(validation));
    }
  }

  private List<Device> devices() {
    try {
      return devices.list().stream()
          .map(d -> d.withKernels(kernels).withSpinning(!noSpinning).withMemory(cudaMemory))
          .toList();
    } catch (ArgumentException e) {
      throw new ArgumentException("--cuda-memory: " + e.getMessage(), e);
    }
  }

  private int train(TrainingRun run, PrintStream words, ProcessGroup group) throws IOException {
    RunSettings settings = run.settings();
    long updates = run.state().update();
    words.printf(Locale.ROOT, "LLM总参数量：%.3f 百万%n", settings.model().parameterCount() / 1e6);
    if (settings.lora().isPresent()) {
      words.printf(Locale.ROOT, "LoRA参数量：%.3f 百万%n", settings.trainedParameters() / 1e6);
    }
    words.printf(
        Locale.ROOT,
        "%s on %d rows, %s, %d threads%s, %s%n",
        updates == 0 ? "Training" : "Going on after " + updates + " updates",
        run.rows(),
        devices,
        threads,
        group.size() == 1 ? "" : " in each of " + group.size() + " processes",
        run.devices().get(0).kernels(settings.precision()));
    if (run.devices().size() < devices.list().size()) {
      int window = run.devices().size();
      words.printf(
          "An update of this run is made of %d micro-batch%s: training on %d of the %d"
              + " devices.%n",
          window, window == 1 ? "" : "es", window, devices.list().size());
    }
    return Interruptible.run(
        ofFirst(group, System.err),
        interrupted -> {
          if (run.train(interrupted)) {
            words.printf(
                "The model is in %s, its loss curve in %s.%n",
                run.folder(), run.folder().resolve(TrainingRun.CHART));
            words.println(advice(GivenCommand.quoted(run.folder().toString())));
          } else {
            words.println(
                "Go on with: ./minimind "
                    + LocalProcesses.launcher()
                    + spec.name()
                    + " --resume"
                    + resumableOptions());
          }
          return 0;
        });
  }

  /**
   * The configuration of the model that a run starts from.
   *
   * @throws IOException if the folder is no model
   * @throws ArgumentException if the run would overwrite that model
   */
  final ModelConfig startModel(Path from) throws IOException {
    if (Files.exists(out) && Files.exists(from) && Files.isSameFile(out, from)) {
      throw new ArgumentException(
          "--out must be another folder than --from, whose model it would replace.");
    }
    return ModelConfig.read(from.resolve(ModelFolder.CONFIG));
  }

  /** The seed of a new run. */
  final long seed() {
    return trainingOptions.settings().seed();
  }

  private void requireTask(Task task) throws IOException {
    if (!task.name().equals(task())) {
      throw new InputException(
          "%s holds a run of another stage: go on with ./minimind %s --resume --out=%s"
              .formatted(out, task.name(), GivenCommand.quoted(out.toString())));
    }
  }

  /** Settings come from the run that is resumed: changing them half-way is refused. */
  private void rejectSettings() {
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      if (!RESUMABLE.contains(option.longestName())) {
        throw new ArgumentException(
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

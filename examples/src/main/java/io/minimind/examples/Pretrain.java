package io.minimind.examples;

import io.minimind.data.BatchOrder;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.Samples;
import io.minimind.data.Split;
import io.minimind.data.TokenShards;
import io.minimind.infer.GenerationOptions;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.TrainingSession;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.train.CheckpointStore;
import io.minimind.train.ConsoleReport;
import io.minimind.train.Interruption;
import io.minimind.train.LossChart;
import io.minimind.train.MetricsFile;
import io.minimind.train.ModelExport;
import io.minimind.train.ProgressLine;
import io.minimind.train.RunFolder;
import io.minimind.train.RunSettings;
import io.minimind.train.SampleTexts;
import io.minimind.train.Trainer;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingSettings;
import io.minimind.train.TrainingState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Pretraining: a model learns to continue texts. */
@Command(
    name = "pretrain",
    description = {
      "Trains a model from nothing on a corpus, or goes on with a run that was interrupted.",
      "Everything it makes lies in the folder given by --out, which is also the model."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true,
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind pretrain --data corpus.csv --tokenizer tokenizer --preset tiny --epochs 3"
    })
public final class Pretrain implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Corpus: a CSV file with a column 'text', or JSON lines with a field 'text'.")
  private Path data;

  @Option(names = "--tokenizer", paramLabel = "DIR", description = "Folder with tokenizer.json.")
  private Path tokenizer;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of the run.")
  private Path out = Path.of("out", "pretrain");

  @Option(
      names = "--resume",
      description = "Goes on with the run in --out, with its settings, from its last checkpoint.")
  private boolean resume;

  @Option(
      names = "--validation",
      paramLabel = "FILE",
      description = "Corpus to validate on, which the model does not learn from.")
  private Path validation;

  @Option(
      names = "--validation-fraction",
      paramLabel = "SHARE",
      description =
          "Share of the rows of --data to hold out for validation where there is no such file.")
  private double validationFraction;

  @Mixin private ModelOptions modelOptions;

  @Option(names = "--max-length", paramLabel = "TOKENS", description = "Longer texts are cut.")
  private int maxLength = 512;

  @Mixin private TrainingOptions trainingOptions;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Encoded corpora, used again while nothing changes.")
  private Path cache = Path.of("out", "cache");

  @Option(
      names = "--log-every",
      paramLabel = "UPDATES",
      description = "Updates between two log lines.")
  private int logEvery = 100;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Texts to continue after each checkpoint, one in a line.")
  private Path prompts;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with; one for each processor unless given.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Spec private CommandSpec spec;

  /** The options that may differ when a run is resumed. */
  private static final Set<String> RESUMABLE =
      Set.of("--resume", "--out", "--cache", "--log-every", "--prompts", "--threads");

  private final ProgressLine progress = ProgressLine.onStandardError();

  public static void main(String[] args) {
    MiniMind.run(new Pretrain(), args);
  }

  @Override
  public Integer call() throws IOException {
    ConsoleReport report = new ConsoleReport(System.out, progress, logEvery);
    List<String> texts = prompts == null ? List.of() : Prompts.read(prompts);
    if (threads < 1) {
      throw new ParameterException(
          spec.commandLine(), "--threads must be at least 1, but is " + threads + ".");
    }
    RunFolder run;
    Corpus corpus;
    if (resume) {
      rejectSettings();
      run = RunFolder.open(out);
      corpus = corpus(run.settings(), out);
      if (corpus.training().size() != run.settings().samples()) {
        throw new IOException(
            "%s now has %d usable rows for training, %d when the run began: restore it, or start a new run."
                .formatted(
                    run.settings().data(), corpus.training().size(), run.settings().samples()));
      }
    } else {
      RunSettings settings = newSettings();
      corpus = corpus(settings, tokenizer);
      run = RunFolder.create(out, settings.withSamples(corpus.training().size()), tokenizer);
    }
    return train(run, corpus, report, texts);
  }

  private int train(RunFolder run, Corpus corpus, ConsoleReport report, List<String> texts)
      throws IOException {
    RunSettings settings = run.settings();
    TrainingSettings training = settings.training();
    Path checkpoint =
        run.checkpoints()
            .latest()
            .orElseThrow(() -> new IOException("There is no checkpoint in " + out + "."));
    TrainingState state = CheckpointStore.verify(checkpoint);
    System.out.printf(
        Locale.ROOT,
        "LLM总参数量：%.3f 百万%n%s on %d rows, %d threads%n",
        settings.model().parameterCount() / 1e6,
        state.update() == 0 ? "Training" : "Going on after " + state.update() + " updates",
        corpus.training().size(),
        threads);
    try (Interruption interruption =
        Interruption.listen(() -> System.err.println("\nSaving, one moment …"))) {
      try (TrainingSession session = run.open(checkpoint, threads)) {
        Trainer trainer =
            new Trainer(
                training,
                session,
                BatchOrder.of(corpus.training(), training.batchSize(), training.seed()),
                corpus.validation().map(rows -> BatchOrder.of(rows, training.batchSize(), 0)),
                run.checkpoints(),
                listeners(run, report, texts, interruption));
        if (trainer.run(state, interruption)) {
          System.out.printf("The model is in %s, its loss curve in %s.%n", run.path(), run.chart());
          System.out.println("Let it write: ./minimind eval pretrain --model " + run.path());
        } else {
          System.out.println("Go on with: ./minimind pretrain --resume" + resumableOptions());
        }
        return 0;
      } catch (IOException e) {
        if (!interruption.getAsBoolean()) {
          throw e;
        }
        // The process ends with the interruption: nobody would see the message later.
        System.err.println(MiniMind.message(e).orElseGet(e::toString));
        return 1;
      }
    }
  }

  private static List<TrainingListener> listeners(
      RunFolder run, ConsoleReport report, List<String> texts, Interruption interruption) {
    List<TrainingListener> listeners = new ArrayList<>();
    listeners.add(report);
    listeners.add(new MetricsFile(run.metrics()));
    listeners.add(new ModelExport(run.path(), run.settings().model(), run.checkpoints()));
    if (!texts.isEmpty()) {
      GenerationOptions options =
          GenerationOptions.defaults()
              .withTopK(8)
              .withMaxNewTokens(100)
              .withSeed(run.settings().training().seed());
      listeners.add(
          new SampleTexts(run.path(), run.samples(), texts, options, System.out, interruption));
    }
    listeners.add(new LossChart(run.metrics(), run.chart()));
    return listeners;
  }

  private RunSettings newSettings() throws IOException {
    if (data == null || tokenizer == null) {
      throw new ParameterException(
          spec.commandLine(), "A new run needs --data and --tokenizer (an old one --resume).");
    }
    RunFolder.requireNone(out);
    if (validation != null && validationFraction != 0) {
      throw new ParameterException(
          spec.commandLine(), "Give --validation or --validation-fraction, not both.");
    }
    ModelConfig config = modelOptions.config(Tokenizer.load(tokenizer).vocabularySize(), maxLength);
    return new RunSettings(
        config,
        trainingOptions.settings(),
        data.toAbsolutePath().toString(),
        Optional.ofNullable(validation).map(file -> file.toAbsolutePath().toString()),
        validationFraction,
        0);
  }

  /** Settings come from the run that is resumed: changing them half-way is refused. */
  private void rejectSettings() {
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      if (!RESUMABLE.contains(option.longestName())) {
        throw new ParameterException(
            spec.commandLine(),
            "--resume goes on with the settings in %s: leave out %s."
                .formatted(out.resolve("settings.json"), option.longestName()));
      }
    }
  }

  /** What a resumed run must be told again, the number of threads above all. */
  private String resumableOptions() {
    StringBuilder options = new StringBuilder(" --out=" + out);
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      String name = option.longestName();
      if (RESUMABLE.contains(name) && !Set.of("--resume", "--out").contains(name)) {
        options.append(' ').append(name).append('=').append(option.<Object>getValue());
      }
    }
    return options.toString();
  }

  private record Corpus(Samples training, Optional<Samples> validation) {}

  private Corpus corpus(RunSettings settings, Path tokenizerFolder) throws IOException {
    Samples all = encoded(Path.of(settings.data()), settings, tokenizerFolder);
    if (settings.validationData().isPresent()) {
      Path file = Path.of(settings.validationData().get());
      return new Corpus(all, Optional.of(encoded(file, settings, tokenizerFolder)));
    }
    if (settings.validationFraction() == 0) {
      return new Corpus(all, Optional.empty());
    }
    Split split = Split.of(all, settings.validationFraction(), settings.training().seed());
    return new Corpus(split.training(), Optional.of(split.validation()));
  }

  private Samples encoded(Path file, RunSettings settings, Path tokenizerFolder)
      throws IOException {
    PretrainingEncoder encoder =
        PretrainingEncoder.load(tokenizerFolder, settings.model().maxLength());
    TokenShards shards =
        TokenShards.openOrBuild(cache, file, encoder, new EncodingReport(file, progress));
    progress.clear();
    System.out.printf(
        Locale.ROOT,
        "%s: %,d rows, %,d tokens%s%n",
        file,
        shards.size(),
        shards.tokens(),
        shards.skippedRows() == 0
            ? ""
            : ", %,d empty rows skipped".formatted(shards.skippedRows()));
    return shards;
  }
}

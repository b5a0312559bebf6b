package io.minimind.examples;

import io.minimind.data.Rows;
import io.minimind.data.Samples;
import io.minimind.data.Split;
import io.minimind.data.TokenShards;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import io.minimind.train.CheckpointStore;
import io.minimind.train.FolderLock;
import io.minimind.train.LossChart;
import io.minimind.train.MetricsFile;
import io.minimind.train.ModelExport;
import io.minimind.train.ProgressLine;
import io.minimind.train.RunFolder;
import io.minimind.train.RunSettings;
import io.minimind.train.Trainer;
import io.minimind.train.TrainingHistory;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingSettings;
import io.minimind.train.TrainingState;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A run from its data to its model, new or resumed, for every stage: encodes the corpus, keeps the
 * folder, trains. What is told of the training itself, the caller decides. Until it is closed, no
 * other run can write to its folder.
 */
final class TrainingRun implements AutoCloseable {

  /**
   * Where runs work.
   *
   * @param command what was typed, for the record
   * @param cache folder of encoded corpora, used again while nothing changes
   * @param devices a replica of the model for each of them
   * @param threads threads to compute with, at least 1
   * @param out is told what the corpora hold
   */
  record Workplace(
      String command,
      Path cache,
      List<Device> devices,
      int threads,
      PrintStream out,
      ProgressLine progress) {}

  /** The weights of a new run. */
  @FunctionalInterface
  interface Start {
    List<NamedTensor> weights(RunSettings settings) throws IOException;
  }

  private record Encoded(Samples samples, String checksum) {}

  /**
   * @param checksums of the files in the settings
   */
  private record Corpus(Samples training, Optional<Samples> validation, List<String> checksums) {}

  private final FolderLock lock;
  private final RunFolder folder;
  private final Corpus corpus;
  private final Workplace workplace;

  private TrainingRun(FolderLock lock, RunFolder folder, Corpus corpus, Workplace workplace) {
    this.lock = lock;
    this.folder = folder;
    this.corpus = corpus;
    this.workplace = workplace;
  }

  /**
   * Begins a run.
   *
   * @param tokenizer the folder of the tokenizer
   * @throws IOException if the folder holds a run or a model already, another run is writing to it,
   *     or data cannot be read
   */
  static TrainingRun create(
      Path out, RunSettings settings, Path tokenizer, Start start, Workplace workplace)
      throws IOException {
    RunFolder.requireNone(out);
    SkippedRows skipped = new SkippedRows();
    Corpus corpus = corpus(settings, tokenizer, workplace, skipped);
    List<NamedTensor> weights = start.weights(settings);
    TrainingHistory history = history(settings.task(), tokenizer);
    // Only now: nothing is made for a run that cannot start.
    FolderLock lock = FolderLock.acquire(out);
    try {
      RunFolder.requireNone(out); // Another run may have been there meanwhile.
      // Before the settings, with which the folder is a run: none is without its history.
      TrainingHistory.begin(out, workplace.command(), history);
      RunSettings complete = settings.withCorpora(corpus.training().groups(), corpus.checksums());
      RunFolder folder = RunFolder.create(out, complete, tokenizer, weights);
      skipped.write(out);
      return new TrainingRun(lock, folder, corpus, workplace);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** How the model came to be that a run starts from: it lies where the tokenizer is taken from. */
  private static TrainingHistory history(Task task, Path from) throws IOException {
    return task instanceof Pretraining ? TrainingHistory.NONE : TrainingHistory.of(from);
  }

  /**
   * Goes on with a run.
   *
   * @param settings those of the folder, with the places that the files have now
   * @throws IOException if its data has other rows than when it began or cannot be read, or another
   *     process goes on with the run
   */
  static TrainingRun resume(RunFolder folder, RunSettings settings, Workplace workplace)
      throws IOException {
    FolderLock lock = FolderLock.acquire(folder.path());
    try {
      SkippedRows skipped = new SkippedRows();
      Corpus corpus = corpus(settings, folder.path(), workplace, skipped);
      requireSame(corpus, settings);
      skipped.write(folder.path());
      RunFolder current = settings.equals(folder.settings()) ? folder : folder.with(settings);
      return new TrainingRun(lock, current, corpus, workplace);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** What a run learns from must not change, lest it end as if it had never been stopped. */
  private static void requireSame(Corpus corpus, RunSettings settings) throws IOException {
    if (corpus.training().groups() != settings.samples()) {
      throw new IOException(
          "%s now has %d usable rows for training, %d when the run began: restore it, or start a new run."
              .formatted(settings.data(), corpus.training().groups(), settings.samples()));
    }
    for (int i = 0; i < settings.checksums().size(); i++) {
      if (!settings.checksums().get(i).equals(corpus.checksums().get(i))) {
        throw new IOException(
            "%s does not hold the rows that the run began with: restore it, or start a new run."
                .formatted(settings.files().get(i)));
      }
    }
  }

  RunFolder folder() {
    return folder;
  }

  /** Rows that the run learns from. */
  long rows() {
    return corpus.training().groups();
  }

  /**
   * Where the run is: the state of its last checkpoint.
   *
   * @throws IOException if the checkpoint is missing or damaged
   */
  TrainingState state() throws IOException {
    return CheckpointStore.verify(checkpoint());
  }

  private Path checkpoint() throws IOException {
    return folder
        .checkpoints()
        .latest()
        .orElseThrow(() -> new IOException("There is no checkpoint in " + folder.path() + "."));
  }

  /**
   * Trains on from the last checkpoint. Metrics, loss curve and model in the folder are up to date
   * whenever a listener is told something.
   *
   * @param interrupted as for {@link Trainer#run}
   * @return whether training is complete, false if it was interrupted
   */
  boolean train(List<TrainingListener> listeners, BooleanSupplier interrupted) throws IOException {
    RunSettings settings = folder.settings();
    TrainingSettings training = settings.training();
    TrainingState state = state();
    List<TrainingListener> all = new ArrayList<>();
    all.add(new MetricsFile(folder.metrics()));
    all.add(
        new ModelExport(folder.path(), settings.model(), settings.lora(), folder.checkpoints()));
    all.add(new LossChart(folder.metrics(), folder.chart()));
    all.addAll(listeners);
    Task task = settings.task();
    BatchSource batches = task.batches(corpus.training(), training.batching(folder.path()));
    Optional<BatchSource> validation = Optional.empty();
    if (corpus.validation().isPresent()) {
      Batching batching = training.validationBatching(folder.path());
      validation = Optional.of(task.batches(corpus.validation().get(), batching));
    }
    try (ModelInTraining model = folder.open(checkpoint(), usefulDevices(), workplace.threads())) {
      return new Trainer(
              training, task.objective(), model, batches, validation, folder.checkpoints(), all)
          .run(state, CheckpointStore.batches(checkpoint()), interrupted);
    }
  }

  /** As many of the devices as can share an update, which is that of the devices at the start. */
  private List<Device> usefulDevices() {
    int window = folder.settings().training().window();
    List<Device> devices = workplace.devices();
    if (devices.size() <= window) {
      return devices;
    }
    workplace
        .out()
        .printf(
            "An update of this run is made of %d micro-batch%s: training on %d of the %d"
                + " devices.%n",
            window, window == 1 ? "" : "es", window, devices.size());
    return devices.subList(0, window);
  }

  private static Corpus corpus(
      RunSettings settings, Path tokenizer, Workplace workplace, SkippedRows skipped)
      throws IOException {
    List<Encoded> files = new ArrayList<>();
    for (Path file : settings.files()) {
      files.add(encoded(file, settings, tokenizer, workplace, skipped));
    }
    List<String> checksums = files.stream().map(Encoded::checksum).toList();
    Samples all = files.get(0).samples();
    if (files.size() > 1) {
      return new Corpus(all, Optional.of(files.get(1).samples()), checksums);
    }
    if (settings.validationFraction() == 0) {
      return new Corpus(all, Optional.empty(), checksums);
    }
    Split split = Split.of(all, settings.validationFraction(), settings.training().seed());
    return new Corpus(split.training(), Optional.of(split.validation()), checksums);
  }

  private static Encoded encoded(
      Path file, RunSettings settings, Path tokenizer, Workplace workplace, SkippedRows skipped)
      throws IOException {
    ProgressLine progress = workplace.progress();
    try {
      TokenShards shards =
          TokenShards.openOrBuild(
              workplace.cache(),
              Rows.of(file),
              settings.task().encoder(settings.model(), tokenizer),
              new EncodingReport(file, progress));
      progress.clear();
      workplace
          .out()
          .printf(
              Locale.ROOT, "%s: %,d rows, %,d tokens%n", file, shards.groups(), shards.tokens());
      skipped.report(file, shards, workplace.out());
      Samples samples =
          settings
              .task()
              .prepare(
                  shards,
                  settings.preparation(
                      workplace.devices().get(0),
                      workplace.threads(),
                      (done, total) -> progress.show(referenceProgress(done, total))));
      return new Encoded(samples, shards.checksum());
    } finally {
      progress.clear();
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }

  private static String referenceProgress(long done, long total) {
    return String.format(
        Locale.ROOT, "the reference's log-probabilities: %,d of %,d answers", done, total);
  }
}

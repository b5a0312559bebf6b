package io.minimind.train;

import io.minimind.artifact.StoredAdapter;
import io.minimind.data.Rows;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.task.Task;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * What a run is made of. A new run needs a task, rows, a folder, and either a tokenizer with a
 * model of random weights, or a model to start from; everything else has a default.
 *
 * <p>A run that goes on has all this in its folder, but for rows that are of no file and tasks that
 * no catalog knows. What is given all the same must be what it began with; rows, and what a task
 * refers to, may have moved.
 */
public final class RunBuilder {

  /** The runtime starts them all at once; more than any machine has processors is a mistake. */
  private static final int MOST_THREADS = 1024;

  private Path folder;
  private Task task;
  private IntFunction<ModelConfig> architecture; // by the number of tokens
  private Path from;
  private Path tokenizer;
  private LowRankAdapters lora;
  private List<NamedTensor> adapter = List.of();
  private Rows rows;
  private Rows validation;
  private Double validationFraction;
  private TrainingSettings training;
  private TrainingPrecision precision;
  private boolean fastestPrecision;
  private String command;
  private Catalog catalog;
  private Path cache;
  private List<Device> devices = List.of(Device.CPU);
  private ProcessGroup group = ProcessGroup.alone();
  private int threads = Runtime.getRuntime().availableProcessors();
  private List<String> prompts = List.of();
  private Listeners listeners = new Listeners(List.of());

  RunBuilder() {}

  /** The folder of the run, which becomes the model's; made if it is missing. */
  public RunBuilder folder(Path folder) {
    this.folder = folder;
    return this;
  }

  /** What the run teaches. */
  public RunBuilder task(Task task) {
    this.task = task;
    return this;
  }

  /** The architecture of a model that begins with random weights. */
  public RunBuilder model(ModelConfig model) {
    architecture = tokens -> model;
    return this;
  }

  /**
   * The architecture of a model that begins with random weights, with as many tokens as the
   * tokenizer has.
   *
   * @param maxLength tokens of a text, at least 2
   */
  public RunBuilder model(ModelConfig.Preset preset, int maxLength) {
    architecture = tokens -> preset.config(tokens, maxLength);
    return this;
  }

  /** The folder of the tokenizer, for a model that begins with random weights. */
  public RunBuilder tokenizer(Path folder) {
    tokenizer = folder;
    return this;
  }

  /** The folder of a float32 model to start from; its tokenizer and its history go with it. */
  public RunBuilder from(Path model) {
    from = model;
    return this;
  }

  /** Trains new adapters in place of the weights. */
  public RunBuilder lora(LowRankAdapters adapters) {
    lora = adapters;
    adapter = List.of();
    return this;
  }

  /**
   * Goes on training an adapter, such as {@code AdapterImport} reads it. The model to start from is
   * the one that it was trained on.
   */
  public RunBuilder lora(StoredAdapter begun) {
    lora = begun.adapters();
    adapter = begun.tensors();
    return this;
  }

  /** The rows to learn from. */
  public RunBuilder rows(Rows rows) {
    this.rows = rows;
    return this;
  }

  /** Rows to validate on, which the model does not learn from. */
  public RunBuilder validation(Rows rows) {
    validation = rows;
    return this;
  }

  /**
   * Holds out rows to validate on.
   *
   * @param fraction their share, at least 0 and less than 1; 0, for none, unless given
   * @throws IllegalArgumentException if it is out of this range
   */
  public RunBuilder validation(double fraction) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new ArgumentException(
          "The validation fraction must be at least 0 and less than 1, but is " + fraction + ".");
    }
    validationFraction = fraction;
    return this;
  }

  /**
   * How long and how fast the model learns.
   *
   * @param change sets what differs from the defaults, which {@link TrainingSettings.Builder} names
   * @throws IllegalArgumentException if a setting is out of its range
   */
  public RunBuilder settings(Consumer<TrainingSettings.Builder> change) {
    TrainingSettings.Builder settings = TrainingSettings.builder();
    change.accept(settings);
    return settings(settings.build());
  }

  /** How long and how fast the model learns; {@code replicas} follows from the devices. */
  public RunBuilder settings(TrainingSettings settings) {
    training = settings;
    return this;
  }

  /** Type of the matrix products; float32 unless given. */
  public RunBuilder precision(TrainingPrecision precision) {
    this.precision = precision;
    return this;
  }

  /**
   * Multiplies in the type that is fastest on the first device, {@link Device#fastestPrecision},
   * unless a type is given. A run that has begun keeps its type, wherever it goes on.
   */
  public RunBuilder fastestPrecision() {
    fastestPrecision = true;
    return this;
  }

  /** The command line that begins the run, if it is one: the card of a published model shows it. */
  public RunBuilder command(String command) {
    this.command = command;
    return this;
  }

  /**
   * Tells of tasks and schedules of other libraries, by which a run may go on; those that a service
   * file names, and the given task, are known without.
   */
  public RunBuilder catalog(Catalog catalog) {
    this.catalog = catalog;
    return this;
  }

  /**
   * The folder of encoded corpora, used again while nothing changes; {@code cache} beside the run's
   * unless given.
   */
  public RunBuilder cache(Path folder) {
    cache = folder;
    return this;
  }

  /** A replica of the model on each of these; one on the CPU unless given. */
  public RunBuilder devices(List<Device> devices) {
    this.devices = List.copyOf(devices);
    return this;
  }

  /**
   * Trains together with other processes, such as those of {@link ProcessGroup#ofEnvironment};
   * alone unless given. All of them make the same run of the same rows, each on devices of its own.
   * The first writes the folder of the run and tells the listeners; the others keep a copy of what
   * they need for as long as they train. The group stays open, and ends if one of them fails.
   */
  public RunBuilder group(ProcessGroup group) {
    this.group = group;
    return this;
  }

  /**
   * @param threads threads on the CPU, of all replicas together, 1 to 1024; one for each processor
   *     unless given
   * @throws IllegalArgumentException if they are fewer or more
   */
  public RunBuilder threads(int threads) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new ArgumentException(
          "The number of threads must be between 1 and %d, but is %d."
              .formatted(MOST_THREADS, threads));
    }
    this.threads = threads;
    return this;
  }

  /** What the model is to write after each checkpoint: texts to continue, or questions. */
  public RunBuilder prompts(List<String> prompts) {
    this.prompts = List.copyOf(prompts);
    return this;
  }

  /** Is told what happens, from the encoding of the rows on. */
  public RunBuilder listener(TrainingListener listener) {
    listeners = listeners.and(listener);
    return this;
  }

  /**
   * Begins the run, or goes on with it if its folder holds one.
   *
   * @throws IOException as for {@link #create} or {@link #resume}
   * @throws IllegalArgumentException if something is missing, or is given twice
   */
  public TrainingRun open() throws IOException {
    return RunFolder.exists(folder()) ? resume() : create();
  }

  /**
   * Begins the run.
   *
   * @throws IOException if its folder holds a run or a model already, another run is writing to it,
   *     or rows, tokenizer or start weights cannot be read
   * @throws IllegalArgumentException if something is missing, or is given twice
   */
  public TrainingRun create() throws IOException {
    return new RunOpening(this).create();
  }

  /**
   * Goes on with the run in the folder.
   *
   * @throws IOException if there is none, it is another than what is given, its rows are others
   *     than when it began or cannot be read, or another process goes on with it
   */
  public TrainingRun resume() throws IOException {
    return new RunOpening(this).resume();
  }

  Path folder() {
    return required(folder, "folder");
  }

  List<NamedTensor> adapter() {
    return adapter;
  }

  Optional<String> command() {
    return Optional.ofNullable(command);
  }

  List<Device> devices() {
    return devices;
  }

  ProcessGroup group() {
    return group;
  }

  int threads() {
    return threads;
  }

  List<String> prompts() {
    return prompts;
  }

  Listeners listeners() {
    return listeners;
  }

  Catalog catalog() {
    if (catalog != null) {
      return catalog;
    }
    return task == null ? Catalog.NONE : Catalog.of(task);
  }

  Corpora.Place place() {
    Path beside = folder().toAbsolutePath().resolveSibling("cache");
    return new Corpora.Place(or(cache, beside), devices.get(0), threads);
  }

  /** What the model of a new run begins as. */
  StartModel start() {
    if (from == null) {
      return new StartModel.RandomWeights(
          required(tokenizer, "tokenizer"), required(architecture, "model"));
    }
    if (architecture != null || tokenizer != null) {
      throw new ArgumentException(
          "A model to start from brings its own architecture and tokenizer: give one or the"
              + " other.");
    }
    return new StartModel.TrainedWeights(from);
  }

  /**
   * The settings of a new run.
   *
   * @param replicas of the model, in all processes together
   */
  RunSettings newSettings(int replicas) throws IOException {
    if (validation != null && or(validationFraction, 0.0) > 0) {
      throw new ArgumentException(
          "Validate on rows of their own or on a share of the others, not both.");
    }
    return new RunSettings(
        required(task, "task"),
        start().config(),
        Optional.ofNullable(lora),
        or(
            precision,
            fastestPrecision ? devices.get(0).fastestPrecision() : TrainingPrecision.FLOAT32),
        or(training, TrainingSettings.builder().build()).withReplicas(replicas),
        rows().get(0).name(),
        Optional.ofNullable(validation).map(Rows::name),
        or(validationFraction, 0.0));
  }

  /** The settings of a run that has begun, with what is given in their place. */
  RunSettings settingsOf(RunSettings begun) {
    return new RunSettings(
        or(task, begun.task()),
        architecture == null ? begun.model() : architecture.apply(begun.model().vocabularySize()),
        lora == null ? begun.lora() : Optional.of(lora),
        or(precision, begun.precision()),
        or(training, begun.training()).withReplicas(begun.training().replicas()),
        begun.data(),
        begun.validationData(),
        or(validationFraction, begun.validationFraction()));
  }

  /** The given rows: those to learn from, and then those to validate on. */
  List<Rows> rows() {
    List<Rows> given = new ArrayList<>(List.of(required(rows, "corpus of rows")));
    if (validation != null) {
      given.add(validation);
    }
    return given;
  }

  /** The rows of a run that has begun: those that are given, or where they were. */
  List<Rows> rowsOf(RunSettings begun) throws IOException {
    List<Rows> present = new ArrayList<>();
    present.add(rows == null ? file(begun.data()) : rows);
    if (begun.validationData().isPresent()) {
      present.add(validation == null ? file(begun.validationData().get()) : validation);
    } else if (validation != null) {
      throw new InputException(
          "The run in " + folder + " began without rows to validate on: leave them out.");
    }
    return present;
  }

  private Rows file(String name) throws IOException {
    if (!Path.of(name).isAbsolute()) {
      throw new InputException(
          "The run in %s learns from the rows \"%s\", which are of no file: give them again."
              .formatted(folder, name));
    }
    return Rows.of(Path.of(name));
  }

  private static <T> T or(T given, T otherwise) {
    return given == null ? otherwise : given;
  }

  private static <T> T required(T part, String name) {
    if (part == null) {
      throw new ArgumentException("A run needs a " + name + ": give it to the builder.");
    }
    return part;
  }
}

package io.minimind.train;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.StoredAdapter;
import io.minimind.data.Rows;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.ArgumentException;
import io.minimind.files.FolderLock;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.task.Task;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.train.TrainingHistory.CorpusFacts;
import io.minimind.weights.NamedTensor;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

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
  private ModelConfig model;
  private ModelConfig.Preset preset;
  private int presetLength;
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
    this.model = model;
    return this;
  }

  /**
   * The architecture of a model that begins with random weights, with as many tokens as the
   * tokenizer has.
   *
   * @param maxLength tokens of a text, at least 2
   */
  public RunBuilder model(ModelConfig.Preset preset, int maxLength) {
    this.preset = preset;
    presetLength = maxLength;
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

  /**
   * Begins the run, or goes on with it if its folder holds one.
   *
   * @throws IOException as for {@link #create} or {@link #resume}
   * @throws IllegalArgumentException if something is missing, or is given twice
   */
  public TrainingRun open() throws IOException {
    return RunFolder.exists(required(folder, "folder")) ? resume() : create();
  }

  /**
   * Begins the run.
   *
   * @throws IOException if its folder holds a run or a model already, another run is writing to it,
   *     or rows, tokenizer or start weights cannot be read
   * @throws IllegalArgumentException if something is missing, or is given twice
   */
  public TrainingRun create() throws IOException {
    return together(this::begin);
  }

  @FunctionalInterface
  private interface Opening {
    TrainingRun open(int replicas) throws IOException;
  }

  /** Opens the run in the first process, with the replicas of all, and then in the others. */
  private TrainingRun together(Opening opening) throws IOException {
    try {
      byte[] own = {(byte) devices.size()};
      int replicas = group.gather(own).stream().mapToInt(one -> one[0]).sum();
      if (!group.isFirst()) {
        return follow();
      }
      TrainingRun run = opening.open(replicas);
      try {
        group.send(folder, RunFolder.open(folder, catalog()).toGoOnWith());
        return run;
      } catch (IOException | RuntimeException e) {
        run.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      throw TrainingRun.stopped(group, e);
    }
  }

  /** Goes on with the run that the first process opens, in a copy. */
  private TrainingRun follow() throws IOException {
    TemporaryFolder copy = TemporaryFolder.create();
    try {
      byte[] told = group.gather(new byte[0]).get(0);
      RunSettings begun = RunRecord.fromJson(told, catalog()).settings();
      Path texts = copy.path().resolve("texts");
      group.receive(texts);
      List<Rows> present = present(begun);
      RunSettings settings = moved(begun, present);
      Corpora corpora = corpora(settings, present, texts, new Listeners(List.of()));
      Path run = copy.path().resolve("run");
      group.receive(run);
      return goOn(RunFolder.open(run, catalog()), settings, copy::close, corpora);
    } catch (IOException | RuntimeException e) {
      copy.close();
      throw e;
    }
  }

  private TrainingRun begin(int replicas) throws IOException {
    RunFolder.requireNone(required(folder, "folder"));
    RunSettings settings = newSettings(replicas);
    Path texts = from == null ? required(tokenizer, "tokenizer") : from;
    Corpora corpora = encodedByAll(settings, given(), texts);
    List<NamedTensor> weights =
        from == null
            ? new Parameters(settings.model()).start(settings.training().seed())
            : ModelFolder.weights(from, settings.model());
    TrainingHistory history =
        from == null ? TrainingHistory.NONE : TrainingHistory.of(from, catalog());
    // Only now: nothing is made for a run that cannot start.
    FolderLock lock = FolderLock.acquire(folder);
    try {
      RunFolder.requireNone(folder); // Another run may have been there meanwhile.
      // Before the settings, with which the folder is a run: none is without its history.
      TrainingHistory.begin(folder, Optional.ofNullable(command), history);
      RunFolder run =
          RunFolder.create(
              folder, new RunRecord(settings, corpora.facts()), texts, weights, adapter);
      corpora.listSkipped(folder);
      return new TrainingRun(lock::close, run, corpora, this);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Goes on with the run in the folder.
   *
   * @throws IOException if there is none, it is another than what is given, its rows are others
   *     than when it began or cannot be read, or another process goes on with it
   */
  public TrainingRun resume() throws IOException {
    return together(replicas -> goOn());
  }

  private TrainingRun goOn() throws IOException {
    RunFolder run = RunFolder.open(required(folder, "folder"), catalog());
    FolderLock lock = FolderLock.acquire(folder);
    try {
      List<Rows> present = present(run.settings());
      RunSettings settings = moved(run.settings(), present);
      Corpora corpora = encodedByAll(settings, present, run.path());
      return goOn(run, settings, lock::close, corpora);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private TrainingRun goOn(RunFolder run, RunSettings settings, Closeable held, Corpora corpora)
      throws IOException {
    List<String> names = new ArrayList<>(List.of(settings.data()));
    settings.validationData().ifPresent(names::add);
    run.corpora().requireSame(corpora.facts(), names);
    if (group.isFirst()) {
      corpora.listSkipped(folder);
    }
    return new TrainingRun(held, run.with(settings), corpora, this);
  }

  /** The rows of a run, which the first process tells the others to encode with it. */
  private Corpora encodedByAll(RunSettings settings, List<Rows> rows, Path texts)
      throws IOException {
    group.gather(new RunRecord(settings, CorpusFacts.NONE).toJson());
    List<Path> files = ModelFolder.configuration(texts).stream().map(texts::relativize).toList();
    group.send(texts, files);
    return corpora(settings, rows, texts, listeners);
  }

  private Corpora corpora(RunSettings settings, List<Rows> rows, Path texts, Listeners told)
      throws IOException {
    return Corpora.open(settings, rows, texts, place(), told, group);
  }

  /** The settings of a run, whose rows are where they are now, and all else as it was. */
  private RunSettings moved(RunSettings begun, List<Rows> present) throws IOException {
    requireSame(begun);
    return begun.movedTo(
        or(task, begun.task()),
        present.get(0).name(),
        present.stream().skip(1).map(Rows::name).findFirst());
  }

  private RunSettings newSettings(int replicas) throws IOException {
    if (validation != null && or(validationFraction, 0.0) > 0) {
      throw new ArgumentException(
          "Validate on rows of their own or on a share of the others, not both.");
    }
    return new RunSettings(
        required(task, "task"),
        newModel(),
        Optional.ofNullable(lora),
        or(
            precision,
            fastestPrecision ? devices.get(0).fastestPrecision() : TrainingPrecision.FLOAT32),
        or(training, TrainingSettings.builder().build()).withReplicas(replicas),
        given().get(0).name(),
        Optional.ofNullable(validation).map(Rows::name),
        or(validationFraction, 0.0));
  }

  private ModelConfig newModel() throws IOException {
    if (from != null) {
      if (model != null || preset != null || tokenizer != null) {
        throw new ArgumentException(
            "A model to start from brings its own architecture and tokenizer: give one or the"
                + " other.");
      }
      return startModel();
    }
    if (model != null) {
      return model;
    }
    int tokens = Tokenizer.load(required(tokenizer, "tokenizer")).vocabularySize();
    return required(preset, "model").config(tokens, presetLength);
  }

  private ModelConfig startModel() throws IOException {
    ModelConfig config = ModelConfig.read(from.resolve(ModelFolder.CONFIG));
    int tokens = Tokenizer.load(from).vocabularySize();
    if (tokens > config.vocabularySize()) {
      throw new InputException(
          "%s mixes two models: its tokenizer has %d tokens, its config.json only %d."
              .formatted(from, tokens, config.vocabularySize()));
    }
    ModelFolder.weights(from, config); // Says what is wrong before the rows are encoded.
    return config;
  }

  /** The given rows: those to learn from, and then those to validate on. */
  private List<Rows> given() {
    List<Rows> given = new ArrayList<>(List.of(required(rows, "corpus of rows")));
    if (validation != null) {
      given.add(validation);
    }
    return given;
  }

  /** The rows of a run: where they are now, or where they were. */
  private List<Rows> present(RunSettings begun) throws IOException {
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

  /** What is given of a run that has begun must be what it began with. */
  private void requireSame(RunSettings begun) throws IOException {
    RunSettings given =
        new RunSettings(
            or(task, begun.task()),
            or(model, begun.model()),
            lora == null ? begun.lora() : Optional.of(lora),
            or(precision, begun.precision()),
            or(training, begun.training()).withReplicas(begun.training().replicas()),
            begun.data(),
            begun.validationData(),
            or(validationFraction, begun.validationFraction()));
    if (!given.equals(begun)) {
      throw new InputException(
          "The run in %s began with other settings: %s. Give those, or choose another folder."
              .formatted(
                  folder,
                  difference("", Json.MAPPER.valueToTree(begun), Json.MAPPER.valueToTree(given))
                      .orElse("its task is another")));
    }
  }

  /** The first setting that differs, in words. */
  private static Optional<String> difference(String name, JsonNode begun, JsonNode given) {
    if (!begun.isObject() || !given.isObject()) {
      return begun.equals(given)
          ? Optional.empty()
          : Optional.of("%s was %s, and is %s now".formatted(name, begun, given));
    }
    for (Map.Entry<String, JsonNode> field : begun.properties()) {
      Optional<String> found =
          difference(field.getKey(), field.getValue(), given.path(field.getKey()));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private Corpora.Place place() {
    Path beside = folder.toAbsolutePath().resolveSibling("cache");
    return new Corpora.Place(or(cache, beside), devices.get(0), threads);
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

package io.minimind.train;

import io.minimind.distributed.ProcessGroup;
import io.minimind.files.InputException;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.Precision;
import io.minimind.runtime.Device;
import io.minimind.runtime.LiveModel;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import io.minimind.task.Task;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A run from its rows to its model, new or resumed. Until it is closed, no other run can write to
 * its folder.
 *
 * <pre>{@code
 * try (TrainingRun run =
 *     TrainingRun.builder()
 *         .task(new Pretraining())
 *         .tokenizer(Path.of("tokenizer"))
 *         .model(ModelConfig.Preset.SMALL, 512)
 *         .rows(Rows.of(Path.of("corpus.csv")))
 *         .validation(0.01)
 *         .settings(s -> s.epochs(2).batchSize(16).learningRate(5e-4f))
 *         .folder(Path.of("out/mine"))
 *         .open()) {
 *   run.train();
 *   System.out.println(run.model().generate("Once").text());
 *   run.export(Path.of("model"), Precision.INT8);
 * }
 * }</pre>
 */
public final class TrainingRun implements AutoCloseable {

  /** The file in the folder of a run in which its losses are drawn. */
  public static final String CHART = "loss.svg";

  private final Closeable held;
  private final ProcessGroup group;
  private final RunFolder folder;
  private final Corpora corpora;
  private final List<Device> devices;
  private final int threads;
  private final List<String> prompts;
  private final Listeners listeners;
  private final Catalog catalog;
  private ModelInTraining training; // null until it is needed
  private LiveModel live; // null until it is asked for

  /**
   * @param held what keeps the folder for this run, closed with it
   */
  TrainingRun(Closeable held, RunFolder folder, Corpora corpora, RunBuilder builder) {
    this.held = held;
    group = builder.group();
    this.folder = folder;
    this.corpora = corpora;
    devices =
        group.size() == 1
            ? useful(builder.devices(), folder.settings().training().window())
            : builder.devices();
    threads = builder.threads();
    prompts = builder.prompts();
    listeners = builder.listeners();
    catalog = builder.catalog();
  }

  /** As many of the devices as can share an update, which is that of the devices at the start. */
  private static List<Device> useful(List<Device> devices, int window) {
    return devices.subList(0, Math.min(window, devices.size()));
  }

  /** What a run is made of; it is begun or resumed with {@link RunBuilder#open}. */
  public static RunBuilder builder() {
    return new RunBuilder();
  }

  /** Whether a folder holds a run that has begun. */
  public static boolean isIn(Path folder) {
    return RunFolder.exists(folder);
  }

  /**
   * The settings of a run, as they are in its folder.
   *
   * @throws IOException if the folder holds no run, its settings are damaged, or its task is none
   *     that is known
   */
  public static RunSettings settings(Path folder) throws IOException {
    return RunFolder.open(folder, Catalog.NONE).settings();
  }

  public Path folder() {
    return folder.path();
  }

  public RunSettings settings() {
    return folder.settings();
  }

  /** Those of the given devices that train: no more than an update has micro-batches. */
  public List<Device> devices() {
    return devices;
  }

  /** Rows that the run learns from. */
  public long rows() {
    return corpora.training().groups();
  }

  /**
   * Where the run is: the state of its last checkpoint.
   *
   * @throws IOException if the checkpoint is missing or damaged
   */
  public TrainingState state() throws IOException {
    return CheckpointStore.verify(checkpoint());
  }

  private Path checkpoint() throws IOException {
    return folder
        .checkpoints()
        .latest()
        .orElseThrow(() -> new InputException("There is no checkpoint in " + folder.path() + "."));
  }

  /** Trains to the end, as {@link #train(BooleanSupplier, TrainingListener...)} does. */
  public boolean train(TrainingListener... more) throws IOException {
    return train(() -> false, more);
  }

  /**
   * Trains on from the last checkpoint. Metrics and model in the folder are up to date whenever a
   * listener is told something.
   *
   * @param interrupted asked before every micro-batch, whether to save and return; true from the
   *     first time on
   * @param more is told what happens, as those are that were given when the run was opened
   * @return whether training is complete, false if it was interrupted
   * @throws IOException if data cannot be read, a checkpoint cannot be written, or the loss is no
   *     longer a number
   */
  public boolean train(BooleanSupplier interrupted, TrainingListener... more) throws IOException {
    try {
      boolean complete = trainOn(interrupted, listeners.and(more));
      group.any(false); // None is done before the first has saved.
      return complete;
    } catch (IOException | RuntimeException e) {
      release(); // Its weights may no longer be those of the checkpoint.
      throw stopped(group, e);
    } catch (Error e) {
      release();
      group.abort(new IllegalStateException(e));
      throw e;
    }
  }

  private boolean trainOn(BooleanSupplier interrupted, Listeners told) throws IOException {
    TrainingSettings plan = folder.settings().training();
    TrainingState state = state();
    List<TrainingListener> all = new ArrayList<>();
    if (group.isFirst()) {
      all.add(new MetricsFile(folder.metrics(), folder.chart()));
      all.add(new ModelExport(folder, told));
      all.add(new SampleTexts(folder, this::model, prompts, told, interrupted));
      all.addAll(told.all());
    }
    Task task = folder.settings().task();
    Optional<BatchSource> validation = Optional.empty();
    if (corpora.validation().isPresent()) {
      validation = Optional.of(task.batches(corpora.validation().get(), batching(true)));
    }
    return new Trainer(
            plan,
            task.objective(),
            training(),
            task.batches(corpora.training(), batching(false)),
            validation,
            folder.checkpoints(),
            all)
        .run(state, CheckpointStore.batches(checkpoint()), interrupted);
  }

  /**
   * Tells the others of a failure.
   *
   * @return what is to be thrown; why another process failed is a failure of the machine here
   */
  static IOException stopped(ProcessGroup group, Exception e) {
    group.abort(e);
    if (e instanceof UncheckedIOException unchecked) {
      return unchecked.getCause();
    }
    if (e instanceof RuntimeException defect) {
      throw defect;
    }
    return (IOException) e;
  }

  private Batching batching(boolean heldOut) {
    TrainingSettings plan = folder.settings().training();
    return new Batching(
        plan.batchSize(),
        heldOut ? 1 : plan.replicas(),
        heldOut ? 0 : plan.seed(),
        heldOut,
        folder.path(),
        folder.settings().lora(),
        threads);
  }

  /**
   * The model with its present weights, to let it write: during training for a listener, and before
   * and after. It must not be used after the next call, which may give another one, and need not be
   * closed.
   *
   * @throws IOException if a file of the run is missing or broken
   */
  public LanguageModel model() throws IOException {
    if (live == null) {
      live =
          LiveModel.open(
              training(),
              folder.settings().model(),
              folder.settings().lora(),
              folder.path(),
              LoadOptions.defaults().withThreads(threads));
    }
    return live.model();
  }

  private ModelInTraining training() throws IOException {
    if (training == null) {
      training = folder.open(checkpoint(), devices, threads, group);
    }
    return training;
  }

  private void release() {
    if (live != null) {
      live.close();
      live = null;
    }
    if (training != null) {
      training.close();
      training = null;
    }
  }

  /**
   * Writes the model of the last checkpoint as applications take it. Of several processes that
   * train together the first alone writes.
   *
   * @param to made if it is missing
   * @param precision how its matrices are kept
   * @throws IOException if the folder holds a run or a model already, or cannot be written
   */
  public void export(Path to, Precision precision) throws IOException {
    if (group.isFirst()) {
      TrainedModel.of(folder.path(), TrainedModel.Checkpoint.LAST, catalog).export(to, precision);
    }
  }

  /** Lets go of the model and of the folder. */
  @Override
  public void close() throws IOException {
    release();
    held.close();
  }
}

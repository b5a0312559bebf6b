package io.minimind.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputException;
import io.minimind.files.JsonErrors;
import io.minimind.files.SealedJson;
import io.minimind.model.Parameter;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.train.TrainingHistory.CorpusFacts;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder of a run: its settings, the training artifacts, the checkpoints, the reports, and the
 * model itself as an application takes it.
 */
final class RunFolder {

  private static final String SETTINGS = "settings.json";
  private static final String CHECKPOINTS = "checkpoints";

  private final Path folder;
  private final RunRecord record;

  private RunFolder(Path folder, RunRecord record) {
    this.folder = folder;
    this.record = record;
  }

  /**
   * Starts a run: writes settings, start weights, and what belongs to the model besides its
   * weights. The artifacts are written when a session is opened.
   *
   * @param tokenizer the folder that holds {@code tokenizer.json}
   * @param weights every parameter of the model, random ones or those of a model
   * @param adapter every A and B to start from; none where adapters are new, or there are none
   * @throws IOException if the folder holds a run or another model already or cannot be written
   */
  static RunFolder create(
      Path folder,
      RunRecord record,
      Path tokenizer,
      List<NamedTensor> weights,
      List<NamedTensor> adapter)
      throws IOException {
    requireNone(folder);
    RunSettings settings = record.settings();
    RunFolder run = new RunFolder(folder, record);
    ModelFolder.writeConfiguration(folder, settings.model(), tokenizer);
    run.checkpoints().save(TrainingState.START, start(settings, weights, adapter)::write);
    // Written last: with it, the folder is a run that can be resumed.
    AtomicFile.replace(folder.resolve(SETTINGS), SealedJson.seal(record.toJson()));
    return run;
  }

  private static TrainingCheckpoint start(
      RunSettings settings, List<NamedTensor> weights, List<NamedTensor> adapter)
      throws IOException {
    // What no model has: adapters, and parameters of the objective's own.
    long seed = settings.training().seed();
    List<NamedTensor> added = new ArrayList<>(adapter);
    if (settings.lora().isPresent() && adapter.isEmpty()) {
      settings
          .lora()
          .get()
          .parameters(settings.model())
          .forEach(parameter -> added.add(parameter.start(seed)));
    }
    added.addAll(settings.task().objective().start(settings.model(), weights, seed));
    boolean adapted = settings.lora().isPresent();
    List<NamedTensor> frozen = settings.task().frozenWeights();
    return new TrainingCheckpoint(
        adapted ? added : joined(weights, added),
        adapted ? joined(weights, frozen) : frozen,
        Optional.empty(),
        TrainingCheckpoint.Properties.NONE);
  }

  private static List<NamedTensor> joined(List<NamedTensor> some, List<NamedTensor> others) {
    return Stream.concat(some.stream(), others.stream()).toList();
  }

  /**
   * @throws IOException if the folder holds a run or another model already
   */
  static void requireNone(Path folder) throws IOException {
    if (exists(folder)) {
      throw new InputException(
          folder + " already holds a run: go on with it, or choose another folder.");
    }
    Path checkpoints = folder.resolve(CHECKPOINTS);
    // A start that was killed leaves checkpoint 0 at most; it is written anew.
    boolean trained =
        new CheckpointStore(checkpoints, 1)
            .checkpoints().stream().anyMatch(c -> !CheckpointStore.isStart(c));
    if (trained) {
      throw new InputException(
          "%s holds checkpoints of a run without its %s: choose another folder."
              .formatted(checkpoints, SETTINGS));
    }
    if (Files.exists(folder.resolve(ModelFolder.WEIGHTS))) {
      throw new InputException(
          "%s already holds a model, which would be lost: choose another folder."
              .formatted(folder));
    }
  }

  /** Whether a folder holds a run that has begun. */
  static boolean exists(Path folder) {
    return Files.exists(folder.resolve(SETTINGS));
  }

  /**
   * Opens a run to go on with it.
   *
   * @param given what its settings may name besides what is on the class path
   * @throws IOException if the folder holds no run or its settings are damaged
   */
  static RunFolder open(Path folder, Catalog given) throws IOException {
    Path file = folder.resolve(SETTINGS);
    if (!Files.isRegularFile(file)) {
      throw new InputException(
          folder + " holds no run that could be resumed: there is no " + SETTINGS + " in it.");
    }
    try {
      byte[] json = SealedJson.open(Files.readAllBytes(file), file);
      return new RunFolder(folder, RunRecord.fromJson(json, given));
    } catch (JsonProcessingException e) {
      throw new InputException(file + " is not valid" + reason(e), e);
    }
  }

  /** A value that cannot be has a sentence of its own. */
  private static String reason(JsonProcessingException e) {
    return e.getCause() instanceof IllegalArgumentException invalid
        ? ": " + invalid.getMessage()
        : "%s: %s.".formatted(JsonErrors.place(e), JsonErrors.reason(e));
  }

  /** Keeps the settings, in which rows have moved, from now on. */
  RunFolder with(RunSettings moved) throws IOException {
    RunRecord changed = new RunRecord(moved, record.corpora());
    // Where a task finds something is no part of what it is, but it is written.
    if (!changed.toTree().equals(record.toTree())) {
      AtomicFile.replace(folder.resolve(SETTINGS), SealedJson.seal(changed.toJson()));
    }
    return new RunFolder(folder, changed);
  }

  Path path() {
    return folder;
  }

  RunSettings settings() {
    return record.settings();
  }

  CorpusFacts corpora() {
    return record.corpora();
  }

  CheckpointStore checkpoints() {
    return new CheckpointStore(
        folder.resolve(CHECKPOINTS), settings().training().keepCheckpoints());
  }

  /**
   * What another process needs to go on with this run in a folder of its own.
   *
   * @return files, relative to the folder
   */
  List<Path> toGoOnWith() throws IOException {
    List<Path> files = new ArrayList<>(List.of(folder.resolve(SETTINGS)));
    files.addAll(ModelFolder.configuration(folder));
    Optional<Path> checkpoint = checkpoints().latest();
    if (checkpoint.isPresent()) {
      try (Stream<Path> parts = Files.list(checkpoint.get())) {
        parts.forEach(files::add);
      }
    }
    return files.stream().map(folder::relativize).toList();
  }

  Path metrics() {
    return folder.resolve("metrics.jsonl");
  }

  Path chart() {
    return folder.resolve(TrainingRun.CHART);
  }

  Path samples() {
    return folder.resolve("samples.txt");
  }

  /**
   * Opens the model of a checkpoint of this run for training.
   *
   * @param checkpoint a folder of {@link #checkpoints}
   * @param devices a replica for each of them
   * @param threads threads on the CPU, of all replicas together, at least 1
   * @param group of processes that do the same
   * @throws IOException if the checkpoint is damaged or of another architecture
   */
  ModelInTraining open(Path checkpoint, List<Device> devices, int threads, ProcessGroup group)
      throws IOException {
    RunSettings settings = settings();
    Path file = checkpoint.resolve(CheckpointStore.CHECKPOINT);
    TrainingArtifacts graphs = settings.artifacts(devices.get(0).target());
    requireArchitecture(file, graphs);
    return ModelInTraining.builder(graphs)
        .optimizer(settings.training().optimizer())
        .checkpoint(file)
        .folder(artifacts())
        .devices(devices.stream().map(settings::on).toList())
        .threads(threads)
        .group(group)
        .open();
  }

  /** Compares the parameters before the runtime sees the file: it trusts what it loads. */
  private void requireArchitecture(Path file, TrainingArtifacts artifacts) throws IOException {
    TrainingCheckpoint checkpoint = TrainingCheckpoint.read(file);
    requireSame(file, artifacts.trainableParameters(), checkpoint.trainable());
    List<NamedTensor> all = new ArrayList<>(checkpoint.trainable());
    all.addAll(checkpoint.frozen());
    requireSame(file, artifacts.parameters(), all);
  }

  private void requireSame(Path file, List<Parameter> parameters, List<NamedTensor> tensors)
      throws IOException {
    List<String> expected = new ArrayList<>();
    parameters.forEach(p -> expected.add(p.name() + Arrays.toString(p.shape().extents())));
    List<String> found = new ArrayList<>();
    tensors.forEach(p -> found.add(p.name() + Arrays.toString(p.shape())));
    expected.sort(Comparator.naturalOrder());
    found.sort(Comparator.naturalOrder());
    if (!expected.equals(found)) {
      expected.removeAll(found);
      throw new InputException(
          "The checkpoint %s is of another architecture than %s says%s."
              .formatted(
                  file,
                  folder.resolve(SETTINGS),
                  expected.isEmpty() ? "" : ": it lacks " + expected.get(0)));
    }
  }

  private Path artifacts() {
    return folder.resolve("artifacts");
  }
}

package io.minimind.runtime;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.TemporaryFolder;
import io.minimind.model.Parameter;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Opens a model for training. Graphs and start weights pass through files, since that is how the
 * runtime takes them; they lie in a temporary folder unless one is given.
 */
public final class ModelBuilder {

  private static final String START = "start";

  private final TrainingArtifacts graphs;
  private OptimizerSettings optimizer = OptimizerSettings.DEFAULT;
  private List<NamedTensor> weights;
  private TrainingCheckpoint start;
  private Path checkpoint;
  private Path folder;
  private List<Device> devices = List.of(Device.CPU);
  private ProcessGroup group = ProcessGroup.alone();
  private int threads = Runtime.getRuntime().availableProcessors();

  ModelBuilder(TrainingArtifacts graphs) {
    this.graphs = graphs;
  }

  /** Adam's constants and the clipping norm; {@link OptimizerSettings#DEFAULT} unless given. */
  public ModelBuilder optimizer(OptimizerSettings optimizer) {
    this.optimizer = optimizer;
    return this;
  }

  /**
   * Starts from weights that nothing has been learnt with.
   *
   * @param weights every parameter of the graphs, those that are not trained among them
   */
  public ModelBuilder weights(List<NamedTensor> weights) {
    this.weights = weights;
    Set<String> trained =
        graphs.trainableParameters().stream().map(Parameter::name).collect(Collectors.toSet());
    Map<Boolean, List<NamedTensor>> split =
        weights.stream().collect(Collectors.partitioningBy(w -> trained.contains(w.name())));
    start =
        new TrainingCheckpoint(
            split.get(true),
            split.get(false),
            Optional.empty(),
            TrainingCheckpoint.Properties.NONE);
    return this;
  }

  /** Starts from a file with parameters, and with the optimizer's state if there is any. */
  public ModelBuilder checkpoint(Path file) {
    checkpoint = file;
    return this;
  }

  /** Keeps the graphs, and start weights, in a folder; made if it is missing. */
  public ModelBuilder folder(Path folder) {
    this.folder = folder;
    return this;
  }

  /** A replica on each device; one on the CPU unless given. */
  public ModelBuilder devices(List<Device> devices) {
    this.devices = List.copyOf(devices);
    return this;
  }

  public ModelBuilder device(Device device) {
    return devices(List.of(device));
  }

  /**
   * @param threads threads within an operator on the CPU, of all replicas together, at least 1; one
   *     for each processor unless given
   */
  public ModelBuilder threads(int threads) {
    this.threads = threads;
    return this;
  }

  /** Other processes that have replicas of the same model; none unless given. It stays open. */
  public ModelBuilder group(ProcessGroup group) {
    this.group = group;
    return this;
  }

  /**
   * Writes the files of the model, for one device and for several, and opens none.
   *
   * @throws IOException if they cannot be written
   * @throws IllegalStateException if neither weights nor a checkpoint nor a folder were given
   */
  public ModelInTraining.Files write() throws IOException {
    return write(required(folder, "a folder"), true);
  }

  private ModelInTraining.Files write(Path to, boolean replicated) throws IOException {
    graphs.write(to, optimizer);
    if (replicated) {
      graphs.writeReplicated(to);
    }
    if (start == null) {
      return ModelInTraining.Files.of(
          required(checkpoint, "a checkpoint"), to, graphs, optimizer.weightDecay());
    }
    Path file = to.resolve(START);
    start.write(file);
    return ModelInTraining.Files.of(file, to, graphs, optimizer.weightDecay());
  }

  /**
   * Opens the model on all devices.
   *
   * @throws IOException if its files cannot be written
   * @throws OnnxRuntimeException if the runtime refuses them
   */
  public ModelInTraining open() throws IOException {
    return devices.size() == 1 && group.size() == 1
        ? openOne()
        : open(true, files -> Replicas.open(files, devices, threads, group));
  }

  /** Opens the model on the first device alone. */
  public ModelInTraining openOne() throws IOException {
    return open(false, files -> TrainingSession.open(files, devices.get(0), threads));
  }

  /**
   * What the graphs give for a batch, gradients included, without a model that is trained. It is
   * computed on the CPU, with the kernels that train there.
   *
   * @return values by their names: what the objective gives, {@code logits}, and for each parameter
   *     that is trained its name followed by {@link TrainingArtifacts#GRADIENT}
   * @throws OnnxRuntimeException if the batch lacks something, or the runtime fails
   * @throws IllegalStateException if no weights were given
   */
  public Map<String, float[]> gradients(Batch batch) {
    List<NamedTensor> inputs = new ArrayList<>(required(weights, "start weights"));
    inputs.add(NamedTensor.ofFloats(TrainingArtifacts.GRADIENT_SCALE, new float[] {1}));
    for (Batch.Part part : batch.parts()) {
      BatchInput input = part.input();
      inputs.add(new NamedTensor(input.name(), input.type(), batch.shape(input), part.memory()));
    }
    try (PlainSession session = PlainSession.open(graphs.gradients(), threads)) {
      return session.run(inputs);
    }
  }

  @FunctionalInterface
  private interface Opener<T> {
    T open(ModelInTraining.Files files);
  }

  private <T> T open(boolean replicated, Opener<T> opener) throws IOException {
    if (folder != null) {
      return opener.open(write(folder, replicated));
    }
    // What is open no longer needs its files.
    try (TemporaryFolder temporary = TemporaryFolder.create()) {
      return opener.open(write(temporary.path(), replicated));
    }
  }

  private static <T> T required(T part, String name) {
    if (part == null) {
      throw new IllegalStateException("A model in training needs " + name + ".");
    }
    return part;
  }
}

package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.TRAINING;
import static io.minimind.runtime.OnnxRuntime.check;
import static io.minimind.runtime.OnnxRuntime.path;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.files.AtomicFile;
import io.minimind.files.TemporaryFolder;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import io.minimind.weights.TrainingCheckpoint.Properties;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtTensorTypeAndShapeInfo;
import org.bytedeco.onnxruntime.OrtValue;

/** Parameters, gradients and optimizer state, which the sessions of one device share. */
final class ParameterState implements AutoCloseable {

  final OrtCheckpointState handle = new OrtCheckpointState();
  private final Device device;
  private final ModelInTraining.Files.OwnDecay decay;
  private ParameterMemory memory; // null until it was found
  private AdamW optimizer; // null if it is the runtime's
  private Set<String> frozen;
  private Properties properties;
  private volatile long updates;

  private ParameterState(Device device, ModelInTraining.Files.OwnDecay decay) {
    this.device = device;
    this.decay = decay;
  }

  /**
   * @param device where the sessions will be that share the state
   * @param threads on the CPU, at least 1
   * @throws OnnxRuntimeException if the runtime refuses a file
   */
  static ParameterState load(ModelInTraining.Files files, Device device, int threads) {
    OnnxRuntime.load();
    ParameterState state = new ParameterState(device, files.decay());
    try {
      Optional<OptimizerSettings> own = TrainingArtifacts.ownOptimizer(files.optimizer());
      if (own.isPresent()) {
        state.load(files, own.get(), threads);
      } else {
        state.load(files.checkpoint());
        state.memory = ParameterMemory.of(state, files.weights());
      }
      if (device.kind() == Device.Kind.CUDA) {
        state.memory.release(); // The first session moves the parameters to its device.
      }
      return state;
    } catch (IOException e) {
      state.close();
      throw new OnnxRuntimeException(AtomicFile.reason(e), e);
    } catch (RuntimeException | Error e) {
      state.close();
      throw e;
    }
  }

  private void load(Path checkpoint) {
    try (Pointer file = path(checkpoint)) {
      check(TRAINING.LoadCheckpoint(file, handle));
    }
  }

  /** Gives the runtime the parameters alone: it would keep the moments as well. */
  private void load(ModelInTraining.Files files, OptimizerSettings settings, int threads)
      throws IOException {
    TrainingCheckpoint start = TrainingCheckpoint.read(files.checkpoint());
    if (start.optimizer().isEmpty()) {
      load(files.checkpoint());
    } else {
      try (TemporaryFolder temporary = TemporaryFolder.create()) {
        Path parameters = temporary.path().resolve("parameters");
        new TrainingCheckpoint(
                start.trainable(), start.frozen(), Optional.empty(), start.properties())
            .write(parameters);
        load(parameters);
      }
    }
    memory = ParameterMemory.of(this, files.weights());
    frozen = start.frozen().stream().map(NamedTensor::name).collect(Collectors.toSet());
    properties = start.properties();
    optimizer = new AdamW(settings, parameters(false), start.optimizer(), threads);
  }

  private List<NamedTensor> parameters(boolean frozen) {
    return memory.tensors().stream()
        .filter(tensor -> this.frozen.contains(tensor.name()) == frozen)
        .toList();
  }

  /** The parameters for others to read: in place on the CPU, a copy of them elsewhere. */
  SharedWeights share() {
    return device.kind() == Device.Kind.CPU
        ? SharedWeights.inPlace(this, memory)
        : SharedWeights.copied(this, memory.tensors());
  }

  /**
   * Decays the objective's own parameters by what the optimizer is about to leave out. On a GPU,
   * where the host cannot reach them, they decay as the model's do.
   */
  private void decay(float learningRate) {
    if (decay.share() == 0 || device.kind() != Device.Kind.CPU) {
      return;
    }
    memory.multiply(decay.names(), 1 - learningRate * decay.share());
  }

  /** Remembers where a step that ran put the gradients, if that is to be known. */
  void gradients(Outputs outputs) {
    if (optimizer != null) {
      optimizer.gradients(outputs);
    }
  }

  /** Updates the parameters with the gradients of a session. */
  void update(NativeSession session, float learningRate) {
    decay(learningRate);
    if (optimizer == null) {
      session.optimizerStep(learningRate);
    } else {
      optimizer.update(learningRate);
    }
    updated();
  }

  /** The optimizer of the sessions here, if it is the runtime's. */
  Optional<Path> optimizer(ModelInTraining.Files files) {
    return optimizer == null ? Optional.of(files.optimizer()) : Optional.empty();
  }

  /** Counts an update of the parameters. */
  void updated() {
    updates++;
  }

  /** How often the parameters were updated. */
  long updates() {
    return updates;
  }

  void save(Path file) {
    if (optimizer == null) {
      try (Pointer target = path(file)) {
        check(TRAINING.SaveCheckpoint(handle, target, true));
      }
      return;
    }
    try {
      new TrainingCheckpoint(
              parameters(false), parameters(true), Optional.of(optimizer.state()), properties)
          .write(file);
    } catch (IOException e) {
      throw new OnnxRuntimeException(e.getMessage(), e);
    }
  }

  /** The shape of a parameter. */
  long[] shape(String name) {
    OrtTensorTypeAndShapeInfo info = new OrtTensorTypeAndShapeInfo();
    try (BytePointer text = new BytePointer(name, StandardCharsets.UTF_8)) {
      check(TRAINING.GetParameterTypeAndShape(handle, text, info));
    }
    return Values.shape(info);
  }

  /** The CRC-32C of the values of parameters, in their order. */
  long hash(List<String> names) {
    CRC32C hash = new CRC32C();
    names.forEach(name -> read(name, hash::update));
    return hash.getValue();
  }

  /** Hands out a copy of a parameter's values, which is gone afterwards. */
  void read(String name, Consumer<ByteBuffer> reader) {
    if (handle.isNull()) {
      throw new IllegalStateException("The model in training is closed.");
    }
    OrtValue value = new OrtValue();
    try (BytePointer text = new BytePointer(name, StandardCharsets.UTF_8)) {
      check(TRAINING.GetParameter(handle, text, OnnxRuntime.allocator(), value));
      reader.accept(Values.bytes(value));
    } finally {
      API.ReleaseValue(value);
    }
  }

  @Override
  public void close() {
    if (!handle.isNull()) {
      TRAINING.ReleaseCheckpointState(handle);
      handle.setNull();
      if (optimizer != null) {
        optimizer.close();
      }
      if (memory != null && device.kind() == Device.Kind.CPU) {
        memory.release();
      }
    }
  }
}

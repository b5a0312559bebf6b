package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.TRAINING;
import static io.minimind.runtime.OnnxRuntime.check;
import static io.minimind.runtime.OnnxRuntime.path;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.bytedeco.onnxruntime.OrtTrainingSession;
import org.bytedeco.onnxruntime.OrtValue;

/**
 * One model in training on one device: its parameters, gradients and optimizer state in native
 * memory, and the sessions that run the training artifacts on them. Not safe for use by several
 * threads.
 */
public final class TrainingSession implements AutoCloseable {

  /**
   * The files of a training session.
   *
   * @param checkpoint parameters, and optimizer state if there is any
   */
  public record Files(Path checkpoint, Path training, Path evaluation, Path optimizer) {

    /**
     * @param artifacts the folder that {@link TrainingArtifacts#write} filled
     */
    public static Files of(Path checkpoint, Path artifacts) {
      return new Files(
          checkpoint,
          artifacts.resolve(TrainingArtifacts.TRAINING),
          artifacts.resolve(TrainingArtifacts.EVALUATION),
          artifacts.resolve(TrainingArtifacts.OPTIMIZER));
    }
  }

  /**
   * What a training step found.
   *
   * @param loss mean over the unmasked positions of the batch
   * @param gradientNorm norm of the gradients accumulated so far, before clipping
   */
  public record Step(float loss, float gradientNorm) {}

  private final OrtCheckpointState state = new OrtCheckpointState();
  private final OrtTrainingSession session = new OrtTrainingSession();
  private final FloatPointer scale = new FloatPointer(1);
  private final FloatPointer maxNorm = new FloatPointer(1);
  private boolean open;

  private TrainingSession() {}

  /**
   * Opens a session on the CPU.
   *
   * @param threads threads within an operator, at least 1
   * @throws OnnxRuntimeException if the runtime refuses a file
   */
  public static TrainingSession open(Files files, int threads) {
    TrainingSession session = new TrainingSession();
    OrtSessionOptions options = new OrtSessionOptions();
    try (Pointer checkpoint = path(files.checkpoint());
        Pointer training = path(files.training());
        Pointer evaluation = path(files.evaluation());
        Pointer optimizer = path(files.optimizer())) {
      check(API.CreateSessionOptions(options));
      check(API.SetIntraOpNumThreads(options, threads));
      // Batches differ in shape; a memory pattern per shape costs memory and saves no time.
      check(API.DisableMemPattern(options));
      check(TRAINING.LoadCheckpoint(checkpoint, session.state));
      check(
          TRAINING.CreateTrainingSession(
              OnnxRuntime.ENVIRONMENT,
              options,
              session.state,
              training,
              evaluation,
              optimizer,
              session.session));
      session.open = true;
      return session;
    } catch (OnnxRuntimeException e) {
      session.close();
      throw e;
    } finally {
      API.ReleaseSessionOptions(options);
    }
  }

  /**
   * Runs the forward and the backward pass and adds the gradients to those of the window.
   *
   * @param batch its buffers are read before this returns
   * @param gradientScale multiplies the gradients
   * @param maxGradientNorm the window's gradients are scaled down to this norm if theirs is larger;
   *     infinity leaves them alone, as all but the last step of a window should
   */
  public Step trainStep(Batch batch, float gradientScale, float maxGradientNorm) {
    requireOpen();
    scale.put(gradientScale);
    maxNorm.put(maxGradientNorm);
    try (Values inputs = new Values(5);
        Values outputs = new Values(2)) {
      batchValues(inputs, batch);
      inputs.put(3, scale, Float.BYTES, ElementType.FLOAT32);
      inputs.put(4, maxNorm, Float.BYTES, ElementType.FLOAT32);
      check(
          TRAINING.TrainStep(
              session, (OrtRunOptions) null, 5, inputs.pointers, 2, outputs.pointers));
      return new Step(outputs.scalar(0), outputs.scalar(1));
    }
  }

  /** Makes the next training step start a new accumulation window. */
  public void resetGradients() {
    requireOpen();
    check(TRAINING.LazyResetGrad(session));
  }

  /** Updates the parameters with the accumulated gradients. */
  public void optimizerStep(float learningRate) {
    requireOpen();
    check(TRAINING.SetLearningRate(session, learningRate));
    check(TRAINING.OptimizerStep(session, (OrtRunOptions) null));
  }

  /** The mean loss over the unmasked positions of a batch. */
  public float evaluate(Batch batch) {
    requireOpen();
    try (Values inputs = new Values(3);
        Values outputs = new Values(1)) {
      batchValues(inputs, batch);
      check(
          TRAINING.EvalStep(
              session, (OrtRunOptions) null, 3, inputs.pointers, 1, outputs.pointers));
      return outputs.scalar(0);
    }
  }

  private static void batchValues(Values values, Batch batch) {
    long[] shape = {batch.rows(), batch.length()};
    long positions = (long) batch.rows() * batch.length();
    values.put(0, batch.inputIds(), positions, shape);
    values.put(1, batch.labels(), positions, shape);
    values.put(2, batch.lossMask(), positions, shape);
  }

  /** Writes parameters and optimizer state. */
  public void saveCheckpoint(Path file) {
    requireOpen();
    try (Pointer target = path(file)) {
      check(TRAINING.SaveCheckpoint(state, target, true));
    }
  }

  /** Number of trainable values. */
  public long parameterCount() {
    requireOpen();
    try (SizeTPointer count = new SizeTPointer(1)) {
      check(TRAINING.GetParametersSize(session, count, true));
      return count.get();
    }
  }

  /** Native code would follow a pointer that is no longer good. */
  private void requireOpen() {
    if (!open) {
      throw new IllegalStateException("The training session is closed.");
    }
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      TRAINING.ReleaseTrainingSession(session);
    }
    if (!state.isNull()) {
      TRAINING.ReleaseCheckpointState(state);
      state.setNull();
    }
    scale.close();
    maxNorm.close();
  }

  private static void createTensor(
      Pointer data, long bytes, long[] shape, ElementType type, OrtValue value) {
    check(
        API.CreateTensorWithDataAsOrtValue(
            OnnxRuntime.CPU, data, bytes, shape, shape.length, type.onnxCode(), value));
  }

  /** Tensor handles for one call, released together. */
  private static final class Values implements AutoCloseable {

    private final PointerPointer<OrtValue> pointers;
    private final Pointer[] data;
    private final int count;

    Values(int count) {
      this.count = count;
      this.data = new Pointer[count];
      this.pointers = new PointerPointer<>(count);
      for (int i = 0; i < count; i++) {
        pointers.put(i, (Pointer) null);
      }
    }

    void put(int index, LongBuffer values, long elements, long[] shape) {
      data[index] = new LongPointer(values);
      put(index, data[index], elements * Long.BYTES, ElementType.INT64, shape);
    }

    void put(int index, FloatBuffer values, long elements, long[] shape) {
      data[index] = new FloatPointer(values);
      put(index, data[index], elements * Float.BYTES, ElementType.FLOAT32, shape);
    }

    void put(int index, Pointer values, long bytes, ElementType type, long... shape) {
      OrtValue value = new OrtValue();
      createTensor(values, bytes, shape, type, value);
      pointers.put(index, value);
    }

    float scalar(int index) {
      try (PointerPointer<Pointer> data = new PointerPointer<>(1)) {
        check(API.GetTensorMutableData(pointers.get(OrtValue.class, index), data));
        return new FloatPointer(data.get()).get();
      }
    }

    @Override
    public void close() {
      for (int i = 0; i < count; i++) {
        OrtValue value = pointers.get(OrtValue.class, i);
        if (value != null && !value.isNull()) {
          API.ReleaseValue(value);
        }
        if (data[i] != null) {
          data[i].close();
        }
      }
      pointers.close();
    }
  }
}

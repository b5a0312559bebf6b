package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.TRAINING;
import static io.minimind.runtime.OnnxRuntime.check;
import static io.minimind.runtime.OnnxRuntime.path;

import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.bytedeco.onnxruntime.OrtStatus;
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
   * @param loss of the batch; for the next token the mean over the unmasked positions
   * @param gradientNorm norm of the gradients accumulated so far, before clipping
   * @param metrics what else the objective reports, {@link Objective#metrics}
   */
  public record Step(float loss, float gradientNorm, Map<String, Float> metrics) {}

  /**
   * What an evaluation found.
   *
   * @param loss as in {@link Step}
   * @param metrics as in {@link Step}
   */
  public record Evaluation(float loss, Map<String, Float> metrics) {}

  private static final Set<String> NO_METRICS =
      Set.of(
          TrainingArtifacts.LOSS,
          TrainingArtifacts.GRADIENT_NORM,
          TrainingArtifacts.LOG_PROBABILITIES);

  private final OrtCheckpointState state = new OrtCheckpointState();
  private final OrtTrainingSession session = new OrtTrainingSession();
  private final FloatPointer scale = new FloatPointer(1);
  private final FloatPointer maxNorm = new FloatPointer(1);
  private final FloatPointer lossScale = new FloatPointer(1).put(1);
  private boolean scalesLoss;
  private List<String> trainingOutputs;
  private List<String> evaluationOutputs;
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
      session.scalesLoss =
          names(
                  session.session,
                  TRAINING::TrainingSessionGetTrainingModelInputCount,
                  TRAINING::TrainingSessionGetTrainingModelInputName)
              .contains(TrainingArtifacts.LOSS_SCALE);
      session.trainingOutputs =
          names(
              session.session,
              TRAINING::TrainingSessionGetTrainingModelOutputCount,
              TRAINING::TrainingSessionGetTrainingModelOutputName);
      session.evaluationOutputs =
          names(
              session.session,
              TRAINING::TrainingSessionGetEvalModelOutputCount,
              TRAINING::TrainingSessionGetEvalModelOutputName);
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
    int next = batchValues(batch);
    try (Values inputs = new Values(next + (scalesLoss ? 3 : 2));
        Values outputs = new Values(trainingOutputs.size())) {
      put(inputs, batch);
      inputs.put(next++, scale, Float.BYTES, ElementType.FLOAT32);
      if (scalesLoss) {
        inputs.put(next++, lossScale, Float.BYTES, ElementType.FLOAT32);
      }
      inputs.put(next, maxNorm, Float.BYTES, ElementType.FLOAT32);
      check(
          TRAINING.TrainStep(
              session,
              (OrtRunOptions) null,
              inputs.count,
              inputs.pointers,
              outputs.count,
              outputs.pointers));
      return new Step(
          outputs.scalar(trainingOutputs.indexOf(TrainingArtifacts.LOSS)),
          outputs.scalar(trainingOutputs.indexOf(TrainingArtifacts.GRADIENT_NORM)),
          metrics(trainingOutputs, outputs));
    }
  }

  /** Whether gradients are float16, and {@link #scaleLoss} keeps them from becoming 0. */
  public boolean scalesLoss() {
    return scalesLoss;
  }

  /**
   * Sets the factor, 1 at first, that gradients have while they are float16. It changes no gradient
   * of a parameter unless one overflows on the way: then {@link Step#gradientNorm} is not finite.
   */
  public void scaleLoss(float factor) {
    lossScale.put(factor);
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

  /** The loss and metrics of a batch. */
  public Evaluation evaluate(Batch batch) {
    try (Values outputs = evaluation(batch)) {
      return new Evaluation(
          outputs.scalar(evaluationOutputs.indexOf(TrainingArtifacts.LOSS)),
          metrics(evaluationOutputs, outputs));
    }
  }

  /** The log-probability of each row's targets; for a session of a preference objective. */
  public float[] logProbabilities(Batch batch) {
    try (Values outputs = evaluation(batch)) {
      int index = evaluationOutputs.indexOf(TrainingArtifacts.LOG_PROBABILITIES);
      return outputs.floats(index, batch.rows());
    }
  }

  private Values evaluation(Batch batch) {
    requireOpen();
    Values outputs = new Values(evaluationOutputs.size());
    try (Values inputs = new Values(batchValues(batch))) {
      put(inputs, batch);
      check(
          TRAINING.EvalStep(
              session,
              (OrtRunOptions) null,
              inputs.count,
              inputs.pointers,
              outputs.count,
              outputs.pointers));
      return outputs;
    } catch (OnnxRuntimeException e) {
      outputs.close();
      throw e;
    }
  }

  private static Map<String, Float> metrics(List<String> names, Values outputs) {
    Map<String, Float> metrics = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      if (!NO_METRICS.contains(names.get(i))) {
        metrics.put(names.get(i), outputs.scalar(i));
      }
    }
    return metrics;
  }

  private static int batchValues(Batch batch) {
    return batch.reference().isPresent() ? 4 : 3;
  }

  private static void put(Values values, Batch batch) {
    long[] shape = {batch.rows(), batch.length()};
    long positions = (long) batch.rows() * batch.length();
    values.put(0, batch.inputIds(), positions, shape);
    values.put(1, batch.labels(), positions, shape);
    values.put(2, batch.lossMask(), positions, shape);
    batch
        .reference()
        .ifPresent(
            reference -> values.put(3, reference, batch.rows(), new long[] {batch.rows() / 2, 2}));
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
    lossScale.close();
  }

  private interface NameCount {
    OrtStatus get(OrtTrainingSession session, SizeTPointer count);
  }

  private interface NameAt {
    OrtStatus get(
        OrtTrainingSession session, long index, OrtAllocator allocator, PointerPointer<?> name);
  }

  private static List<String> names(OrtTrainingSession session, NameCount counter, NameAt namer) {
    OrtAllocator allocator = new OrtAllocator();
    check(API.GetAllocatorWithDefaultOptions(allocator));
    List<String> names = new ArrayList<>();
    try (SizeTPointer count = new SizeTPointer(1);
        PointerPointer<Pointer> name = new PointerPointer<>(1)) {
      check(counter.get(session, count));
      for (long i = 0; i < count.get(); i++) {
        check(namer.get(session, i, allocator, name));
        BytePointer text = new BytePointer(name.get());
        names.add(text.getString(StandardCharsets.UTF_8));
        check(API.AllocatorFree(allocator, text));
      }
    }
    return List.copyOf(names);
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
      return floats(index, 1)[0];
    }

    float[] floats(int index, int count) {
      float[] values = new float[count];
      try (PointerPointer<Pointer> data = new PointerPointer<>(1)) {
        check(API.GetTensorMutableData(pointers.get(OrtValue.class, index), data));
        new FloatPointer(data.get()).get(values);
      }
      return values;
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

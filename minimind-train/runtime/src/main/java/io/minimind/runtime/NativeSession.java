package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.TRAINING;
import static io.minimind.runtime.OnnxRuntime.check;
import static io.minimind.runtime.OnnxRuntime.path;

import io.minimind.artifact.TrainingArtifacts;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.bytedeco.onnxruntime.OrtStatus;
import org.bytedeco.onnxruntime.OrtTrainingSession;

/** A session of ONNX Runtime's training API on parameters that it may share with another one. */
final class NativeSession implements AutoCloseable {

  private final OrtTrainingSession session = new OrtTrainingSession();
  private List<String> trainingInputs = List.of();
  private List<String> evaluationInputs = List.of();
  private List<String> trainingOutputs = List.of();
  private List<String> evaluationOutputs = List.of();

  private NativeSession() {}

  /**
   * @param evaluation if there is none, {@link #evaluate} must not be called
   * @param optimizer if there is none, {@link #optimizerStep} must not be called
   * @param threads threads within an operator, at least 1
   * @param deterministic whether equal inputs must give results that are equal to the bit; on a GPU
   *     the kernels that do are slower
   * @throws OnnxRuntimeException if the runtime refuses a file
   */
  static NativeSession create(
      ParameterState state,
      Path training,
      Optional<Path> evaluation,
      Optional<Path> optimizer,
      Device device,
      int threads,
      boolean deterministic) {
    NativeSession session = new NativeSession();
    OrtSessionOptions options = new OrtSessionOptions();
    try (Pointer trainingPath = path(training);
        Pointer evaluationPath = evaluation.map(OnnxRuntime::path).orElse(null);
        Pointer optimizerPath = optimizer.map(OnnxRuntime::path).orElse(null)) {
      check(API.CreateSessionOptions(options));
      check(API.SetIntraOpNumThreads(options, threads));
      // Batches differ in shape; a memory pattern per shape costs memory and saves no time.
      check(API.DisableMemPattern(options));
      check(API.SetDeterministicCompute(options, deterministic));
      if (device.kind() == Device.Kind.CUDA) {
        Cuda.use(device, options);
      } else {
        OwnKernels.addTo(options, threads);
        String spinning = device.spinning() ? "1" : "0";
        check(API.AddSessionConfigEntry(options, "session.intra_op.allow_spinning", spinning));
      }
      check(
          TRAINING.CreateTrainingSession(
              OnnxRuntime.ENVIRONMENT,
              options,
              state.handle,
              trainingPath,
              evaluationPath,
              optimizerPath,
              session.session));
      session.trainingInputs =
          session.names(
              TRAINING::TrainingSessionGetTrainingModelInputCount,
              TRAINING::TrainingSessionGetTrainingModelInputName);
      session.trainingOutputs =
          session.names(
              TRAINING::TrainingSessionGetTrainingModelOutputCount,
              TRAINING::TrainingSessionGetTrainingModelOutputName);
      if (evaluation.isPresent()) {
        session.evaluationInputs =
            session.names(
                TRAINING::TrainingSessionGetEvalModelInputCount,
                TRAINING::TrainingSessionGetEvalModelInputName);
        session.evaluationOutputs =
            session.names(
                TRAINING::TrainingSessionGetEvalModelOutputCount,
                TRAINING::TrainingSessionGetEvalModelOutputName);
      }
      return session;
    } catch (RuntimeException | Error e) {
      session.close();
      throw e;
    } finally {
      API.ReleaseSessionOptions(options);
    }
  }

  /** Whether the training model takes a loss scale. */
  boolean scalesLoss() {
    return trainingInputs.contains(TrainingArtifacts.LOSS_SCALE);
  }

  /** The names of what a training step takes, in the order in which it does. */
  List<String> trainingInputs() {
    return trainingInputs;
  }

  /** The names of what an evaluation takes, alike. */
  List<String> evaluationInputs() {
    return evaluationInputs;
  }

  /** The names of what a training step gives. */
  List<String> trainingOutputs() {
    return trainingOutputs;
  }

  /** Runs the training model, and adds gradients to those of the window. */
  Outputs trainStep(Values inputs) {
    return trainStep(inputs, new Values(trainingOutputs.size()));
  }

  /**
   * The same.
   *
   * @param outputs for each of {@link #trainingOutputs}, a tensor to write into or none; closed
   *     with the result, or before an exception is thrown
   */
  Outputs trainStep(Values inputs, Values outputs) {
    return run(trainingOutputs, inputs, outputs, TRAINING::TrainStep);
  }

  Outputs evaluate(Values inputs) {
    return run(evaluationOutputs, inputs, new Values(evaluationOutputs.size()), TRAINING::EvalStep);
  }

  private interface Step {
    OrtStatus run(
        OrtTrainingSession session,
        OrtRunOptions options,
        long inputCount,
        PointerPointer<?> inputs,
        long outputCount,
        PointerPointer<?> outputs);
  }

  private Outputs run(List<String> names, Values inputs, Values values, Step step) {
    Outputs outputs = new Outputs(names, values);
    try {
      check(step.run(session, null, inputs.count, inputs.pointers, values.count, values.pointers));
      return outputs;
    } catch (RuntimeException | Error e) {
      outputs.close();
      throw e;
    }
  }

  /** Makes the next training step start a new accumulation window. */
  void resetGradients() {
    check(TRAINING.LazyResetGrad(session));
  }

  void optimizerStep(float learningRate) {
    check(TRAINING.SetLearningRate(session, learningRate));
    check(TRAINING.OptimizerStep(session, (OrtRunOptions) null));
  }

  /** Number of trainable values. */
  long parameterCount() {
    try (SizeTPointer count = new SizeTPointer(1)) {
      check(TRAINING.GetParametersSize(session, count, true));
      return count.get();
    }
  }

  @Override
  public void close() {
    if (!session.isNull()) {
      TRAINING.ReleaseTrainingSession(session);
      session.setNull();
    }
  }

  private interface NameCount {
    OrtStatus get(OrtTrainingSession session, SizeTPointer count);
  }

  private interface NameAt {
    OrtStatus get(
        OrtTrainingSession session, long index, OrtAllocator allocator, PointerPointer<?> name);
  }

  private List<String> names(NameCount counter, NameAt namer) {
    OrtAllocator allocator = OnnxRuntime.allocator();
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
}

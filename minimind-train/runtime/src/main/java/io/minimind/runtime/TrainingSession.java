package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model in training on one device. It does one thing at a time: what another thread asks for,
 * closing it among that, waits until a step has ended.
 */
final class TrainingSession implements ModelInTraining {

  private final ParameterState state;
  private final NativeSession session;
  private final List<String> metrics;
  private final Scalars scalars = new Scalars();
  private boolean open = true;

  private TrainingSession(ParameterState state, NativeSession session, List<String> metrics) {
    this.state = state;
    this.session = session;
    this.metrics = metrics;
  }

  /**
   * Opens a session on the CPU.
   *
   * @param threads threads within an operator, at least 1
   * @throws OnnxRuntimeException if the runtime refuses a file
   */
  static TrainingSession open(Files files, int threads) {
    return open(files, Device.CPU, threads);
  }

  /**
   * @param threads threads within an operator on the CPU, at least 1
   * @throws OnnxRuntimeException if the runtime refuses a file
   */
  static TrainingSession open(Files files, Device device, int threads) {
    ParameterState state = ParameterState.load(files, device, threads);
    try {
      return new TrainingSession(
          state,
          NativeSession.create(
              state,
              files.training(),
              Optional.of(files.evaluation()),
              state.optimizer(files),
              device,
              threads,
              false),
          files.metrics());
    } catch (RuntimeException | Error e) {
      state.close();
      throw e;
    }
  }

  @Override
  public int replicas() {
    return 1;
  }

  @Override
  public boolean scalesLoss() {
    return session.scalesLoss();
  }

  @Override
  public synchronized void scaleLoss(float factor) {
    scalars.set(TrainingArtifacts.LOSS_SCALE, factor);
  }

  @Override
  public Step trainStep(List<Batch> batches, float gradientScale) {
    Step step = lastTrainStep(batches, gradientScale, Float.POSITIVE_INFINITY);
    return new Step(step.loss(), Float.NaN, step.metrics());
  }

  @Override
  public synchronized Step lastTrainStep(
      List<Batch> batches, float gradientScale, float maxGradientNorm) {
    requireOpen();
    scalars.set(TrainingArtifacts.GRADIENT_SCALE, gradientScale);
    scalars.set(TrainingArtifacts.MAX_GRADIENT_NORM, maxGradientNorm);
    try (Values inputs = Values.of(session.trainingInputs(), batches.get(0), scalars);
        Outputs outputs = session.trainStep(inputs)) {
      state.gradients(outputs);
      Evaluation found = outputs.evaluation(metrics);
      return new Step(
          found.loss(), outputs.scalar(TrainingArtifacts.GRADIENT_NORM), found.metrics());
    }
  }

  @Override
  public synchronized void resetGradients() {
    requireOpen();
    session.resetGradients();
  }

  @Override
  public synchronized void optimizerStep(float learningRate) {
    requireOpen();
    state.update(session, learningRate);
  }

  @Override
  public synchronized List<Evaluation> evaluate(List<Batch> batches) {
    try (Outputs outputs = outputs(batches.get(0))) {
      return List.of(outputs.evaluation(metrics));
    }
  }

  @Override
  public synchronized List<float[]> evaluate(List<Batch> batches, String name) {
    try (Outputs outputs = outputs(batches.get(0))) {
      return List.of(Outputs.copy(outputs.floats(name)));
    }
  }

  private Outputs outputs(Batch batch) {
    requireOpen();
    try (Values inputs = Values.of(session.evaluationInputs(), batch, scalars)) {
      return session.evaluate(inputs);
    }
  }

  @Override
  public synchronized SharedWeights weights() {
    requireOpen();
    return state.share();
  }

  @Override
  public synchronized void saveCheckpoint(Path file) {
    requireOpen();
    state.save(file);
  }

  /** Number of trainable values. */
  synchronized long parameterCount() {
    requireOpen();
    return session.parameterCount();
  }

  /** Native code would follow a pointer that is no longer good. */
  private void requireOpen() {
    if (!open) {
      throw new IllegalStateException("The training session is closed.");
    }
  }

  @Override
  public synchronized void close() {
    if (open) {
      open = false;
      session.close();
      state.close();
      scalars.close();
    }
  }
}

package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.runtime.ModelInTraining.Evaluation;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * One of several equal models on its device: a session that computes gradients, and one that takes
 * the mean of all replicas' gradients and updates the parameters, which the two share.
 */
final class Replica implements AutoCloseable {

  private final Device device;
  private final ParameterState state;
  private final NativeSession backward;
  private final NativeSession update;
  private final List<String> parameters;
  private final GradientBuffer gradients;
  private final List<String> metrics;
  private final Scalars scalars = new Scalars();

  /** What gives back the memory of all these, the last one first. */
  private final Deque<Runnable> closing = new ArrayDeque<>();

  private Replica(ModelInTraining.Files files, Device device, int threads) {
    this.device = device;
    this.metrics = files.metrics();
    closing.push(scalars::close);
    try {
      state = ParameterState.load(files, device, threads);
      closing.push(state::close);
      backward =
          NativeSession.create(
              state,
              files.backward(),
              Optional.of(files.evaluation()),
              Optional.empty(),
              device,
              threads,
              false);
      closing.push(backward::close);
      // The second, because the optimizer takes the gradients of the latest session. Deterministic,
      // because the norm that clips them must be the same on all devices: a GPU would otherwise add
      // up parts of it in the order in which they are ready.
      update =
          NativeSession.create(
              state,
              files.update(),
              Optional.empty(),
              state.optimizer(files),
              device,
              threads,
              true);
      closing.push(update::close);
      parameters = parameters(backward);
      gradients = GradientBuffer.allocate(device, parameters.stream().map(state::shape).toList());
      closing.push(gradients::close);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  static Replica open(ModelInTraining.Files files, Device device, int threads) {
    OnnxRuntime.load();
    return new Replica(files, device, threads);
  }

  /** The trained ones, in the order of their gradients. */
  private static List<String> parameters(NativeSession backward) {
    return backward.trainingOutputs().stream()
        .filter(name -> name.endsWith(TrainingArtifacts.GRADIENT))
        .map(name -> name.substring(0, name.length() - TrainingArtifacts.GRADIENT.length()))
        .toList();
  }

  Device device() {
    return device;
  }

  boolean scalesLoss() {
    return backward.scalesLoss();
  }

  void scaleLoss(float factor) {
    scalars.set(TrainingArtifacts.LOSS_SCALE, factor);
  }

  void resetGradients() {
    backward.resetGradients();
  }

  Evaluation trainStep(Batch batch, float gradientScale) {
    scalars.set(TrainingArtifacts.GRADIENT_SCALE, gradientScale);
    try (Values inputs = Values.of(backward.trainingInputs(), batch, scalars)) {
      List<String> names = backward.trainingOutputs();
      Values values = new Values(names.size());
      gradients.put(values, names.indexOf(parameters.get(0) + TrainingArtifacts.GRADIENT));
      try (Outputs outputs = backward.trainStep(inputs, values)) {
        return outputs.evaluation(metrics);
      }
    } finally {
      gradients.arrived(); // Also where nothing announced them, and nobody is to wait in vain.
    }
  }

  /** The gradients of the window so far. */
  GradientBuffer gradients() {
    return gradients;
  }

  /**
   * What an update reports before the optimizer's step; equal on all replicas.
   *
   * @param gradient norm before clipping
   * @param parameters norm of the trained parameters
   */
  record Norms(float gradient, float parameters) {
    static Norms of(float[] both) {
      return new Norms(both[0], both[1]);
    }

    float[] toArray() {
      return new float[] {gradient, parameters};
    }
  }

  /** Takes the mean of all replicas' gradients, from memory of its device. */
  Norms takeGradients(GradientBuffer mean, float maxGradientNorm) {
    String limit = TrainingArtifacts.MAX_GRADIENT_NORM;
    scalars.set(limit, maxGradientNorm);
    update.resetGradients();
    List<String> names = update.trainingInputs();
    try (Values inputs = new Values(names.size())) {
      mean.put(inputs, names.indexOf(parameters.get(0) + TrainingArtifacts.GRADIENT));
      inputs.put(names.indexOf(limit), scalars.get(limit));
      try (Outputs outputs = update.trainStep(inputs)) {
        state.gradients(outputs);
        return new Norms(
            outputs.scalar(TrainingArtifacts.GRADIENT_NORM),
            outputs.scalar(TrainingArtifacts.PARAMETER_NORM));
      }
    }
  }

  void optimizerStep(float learningRate) {
    state.update(update, learningRate);
  }

  Evaluation evaluate(Batch batch) {
    try (Values inputs = Values.of(backward.evaluationInputs(), batch, scalars);
        Outputs outputs = backward.evaluate(inputs)) {
      return outputs.evaluation(metrics);
    }
  }

  float[] evaluate(Batch batch, String name) {
    try (Values inputs = Values.of(backward.evaluationInputs(), batch, scalars);
        Outputs outputs = backward.evaluate(inputs)) {
      return Outputs.copy(outputs.floats(name));
    }
  }

  /** A hash of the trained parameters. */
  long hash() {
    return state.hash(parameters);
  }

  SharedWeights weights() {
    return state.share();
  }

  void save(Path file) {
    state.save(file);
  }

  @Override
  public void close() {
    while (!closing.isEmpty()) {
      closing.pop().run();
    }
  }
}

package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import io.minimind.runtime.ModelInTraining.Evaluation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;

/**
 * One of several equal models on its device: a session that computes gradients, and one that takes
 * the mean of all replicas' gradients and updates the parameters, which the two share.
 */
final class Replica implements AutoCloseable {

  private final Device device;
  private final ParameterState state;
  private final NativeSession backward;
  private final NativeSession update;
  private final List<String> gradientNames;
  private final FloatPointer scalar = new FloatPointer(1);
  private final FloatPointer lossScale = new FloatPointer(1).put(1);
  private Optional<Outputs> last = Optional.empty();

  private Replica(
      Device device, ParameterState state, NativeSession backward, NativeSession update) {
    this.device = device;
    this.state = state;
    this.backward = backward;
    this.update = update;
    this.gradientNames =
        backward.trainingOutputs().stream()
            .filter(name -> name.endsWith(TrainingArtifacts.GRADIENT))
            .toList();
  }

  static Replica open(ModelInTraining.Files files, Device device, int threads) {
    ParameterState state = ParameterState.load(files.checkpoint());
    try {
      NativeSession backward =
          NativeSession.create(
              state,
              files.backward(),
              Optional.of(files.evaluation()),
              Optional.empty(),
              device,
              threads);
      try {
        // The second, because the optimizer takes the gradients of the latest session.
        NativeSession update =
            NativeSession.create(
                state,
                files.update(),
                Optional.empty(),
                Optional.of(files.optimizer()),
                device,
                threads);
        return new Replica(device, state, backward, update);
      } catch (RuntimeException | Error e) {
        backward.close();
        throw e;
      }
    } catch (RuntimeException | Error e) {
      state.close();
      throw e;
    }
  }

  Device device() {
    return device;
  }

  boolean scalesLoss() {
    return backward.scalesLoss();
  }

  void scaleLoss(float factor) {
    lossScale.put(factor);
  }

  void resetGradients() {
    forget();
    backward.resetGradients();
  }

  Evaluation trainStep(Batch batch, float gradientScale) {
    forget();
    scalar.put(gradientScale);
    int next = Values.of(batch);
    try (Values inputs = new Values(next + (scalesLoss() ? 2 : 1))) {
      inputs.put(batch);
      inputs.put(next++, scalar, Float.BYTES, ElementType.FLOAT32);
      if (scalesLoss()) {
        inputs.put(next, lossScale, Float.BYTES, ElementType.FLOAT32);
      }
      Outputs outputs = backward.trainStep(inputs);
      last = Optional.of(outputs);
      return outputs.evaluation();
    }
  }

  /** The gradients of the window so far, one for each parameter; good until the next step. */
  List<Gradient> gradients() {
    Outputs outputs = last.orElseThrow();
    return gradientNames.stream()
        .map(name -> new Gradient(outputs.shape(name), outputs.floats(name)))
        .toList();
  }

  /**
   * What an update reports before the optimizer's step; equal on all replicas.
   *
   * @param gradient norm before clipping
   * @param parameters norm of the trained parameters
   */
  record Norms(float gradient, float parameters) {}

  /** Takes the mean of all replicas' gradients. */
  Norms takeGradients(List<Gradient> mean, float maxGradientNorm) {
    scalar.put(maxGradientNorm);
    update.resetGradients();
    try (Values inputs = new Values(mean.size() + 1)) {
      for (int i = 0; i < mean.size(); i++) {
        FloatBuffer values = mean.get(i).values();
        inputs.put(i, values, values.limit(), mean.get(i).shape());
      }
      inputs.put(mean.size(), scalar, Float.BYTES, ElementType.FLOAT32);
      try (Outputs outputs = update.trainStep(inputs)) {
        return new Norms(
            outputs.scalar(TrainingArtifacts.GRADIENT_NORM),
            outputs.scalar(TrainingArtifacts.PARAMETER_NORM));
      }
    }
  }

  void optimizerStep(float learningRate) {
    update.optimizerStep(learningRate);
  }

  Evaluation evaluate(Batch batch) {
    try (Values inputs = new Values(Values.of(batch))) {
      inputs.put(batch);
      try (Outputs outputs = backward.evaluate(inputs)) {
        return outputs.evaluation();
      }
    }
  }

  /** A hash of the trained parameters. */
  long hash() {
    return state.hash(
        gradientNames.stream()
            .map(name -> name.substring(0, name.length() - TrainingArtifacts.GRADIENT.length()))
            .toList());
  }

  void save(Path file) {
    state.save(file);
  }

  private void forget() {
    last.ifPresent(Outputs::close);
    last = Optional.empty();
  }

  @Override
  public void close() {
    forget();
    update.close();
    backward.close();
    state.close();
    scalar.close();
    lossScale.close();
  }
}

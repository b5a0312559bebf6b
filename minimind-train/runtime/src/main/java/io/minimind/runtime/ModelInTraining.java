package io.minimind.runtime;

import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.distributed.ProcessGroup;
import io.minimind.model.Parameter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A model that is being trained, on one device or on several: its parameters, gradients and
 * optimizer state in native memory. Several replicas of it compute on different batches at the same
 * time and have the same weights after every update. For one thread, but another one may close it:
 * that waits for what is being computed.
 */
public sealed interface ModelInTraining extends AutoCloseable permits TrainingSession, Replicas {

  /**
   * The files that a model in training is made from.
   *
   * @param checkpoint parameters, and optimizer state if there is any
   * @param artifacts the folder that {@link TrainingArtifacts#write} filled, and for replicas also
   *     {@link TrainingArtifacts#writeReplicated}
   * @param metrics what these artifacts report besides the loss, by the names of their outputs
   * @param decay of the objective's own parameters
   */
  record Files(Path checkpoint, Path artifacts, List<String> metrics, OwnDecay decay) {

    /** Files of a model whose weights decay alike. */
    public Files(Path checkpoint, Path artifacts, List<String> metrics) {
      this(checkpoint, artifacts, metrics, new OwnDecay(List.of(), 0));
    }

    /**
     * Parameters that are kept divided by a factor learn at so many times the rate, but the
     * optimizer decays all weights alike: this is what these lack.
     *
     * @param names of the parameters
     * @param share of a parameter, for each unit of the learning rate
     */
    record OwnDecay(List<String> names, float share) {

      static OwnDecay of(TrainingArtifacts artifacts, float weightDecay) {
        return new OwnDecay(
            artifacts.ownParameters().stream().map(Parameter::name).toList(),
            (artifacts.ownFactor() - 1) * weightDecay);
      }
    }

    /**
     * @param folder that these artifacts were written to
     */
    public static Files of(Path checkpoint, Path folder, TrainingArtifacts artifacts) {
      return of(checkpoint, folder, artifacts, 0);
    }

    static Files of(Path checkpoint, Path folder, TrainingArtifacts artifacts, float weightDecay) {
      List<String> metrics = artifacts.metrics().stream().map(Metric::name).toList();
      return new Files(checkpoint, folder, metrics, OwnDecay.of(artifacts, weightDecay));
    }

    /**
     * Opens a model that these files were written for.
     *
     * @param devices a replica on each
     * @param threads threads within an operator on the CPU, of all replicas together, at least 1
     * @throws OnnxRuntimeException if the runtime refuses a file
     */
    public ModelInTraining open(List<Device> devices, int threads) {
      return devices.size() == 1
          ? TrainingSession.open(this, devices.get(0), threads)
          : Replicas.open(this, devices, threads);
    }

    /** What tells the graphs of replicas from others. */
    long hash() {
      CRC32C hash = new CRC32C();
      for (Path graph : List.of(backward(), update(), evaluation(), optimizer())) {
        try {
          hash.update(java.nio.file.Files.readAllBytes(graph));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return hash.getValue();
    }

    Path training() {
      return artifacts.resolve(TrainingArtifacts.TRAINING);
    }

    Path backward() {
      return artifacts.resolve(TrainingArtifacts.BACKWARD);
    }

    Path update() {
      return artifacts.resolve(TrainingArtifacts.UPDATE);
    }

    Path evaluation() {
      return artifacts.resolve(TrainingArtifacts.EVALUATION);
    }

    Path optimizer() {
      return artifacts.resolve(TrainingArtifacts.OPTIMIZER);
    }

    Path weights() {
      return artifacts.resolve(TrainingArtifacts.WEIGHTS);
    }
  }

  /**
   * What a training step found.
   *
   * @param loss of the batch, or the mean over the batches; as its objective averages it
   * @param gradientNorm norm of the gradients accumulated so far, before clipping
   * @param metrics what else the objective reports, {@link Objective#metrics}; means as the loss
   */
  record Step(float loss, float gradientNorm, Map<String, Float> metrics) {}

  /**
   * What an evaluation found.
   *
   * @param loss as in {@link Step}
   * @param metrics as in {@link Step}
   */
  record Evaluation(float loss, Map<String, Float> metrics) {

    /** The loss, and the metrics of these names after it. */
    float[] toArray(List<String> names) {
      float[] values = new float[1 + names.size()];
      values[0] = loss;
      for (int i = 0; i < names.size(); i++) {
        values[i + 1] = metrics.get(names.get(i));
      }
      return values;
    }

    /** What {@link #toArray} made an array of. */
    static Evaluation of(float[] values, List<String> names) {
      Map<String, Float> metrics = new LinkedHashMap<>();
      for (int i = 0; i < names.size(); i++) {
        metrics.put(names.get(i), values[i + 1]);
      }
      return new Evaluation(values[0], metrics);
    }
  }

  /**
   * The one way to open a model for training: from graphs, weights and devices.
   *
   * @param graphs what is computed
   */
  static ModelBuilder builder(TrainingArtifacts graphs) {
    return new ModelBuilder(graphs);
  }

  /**
   * The processes that train this model together, each of which has a part of its replicas. All of
   * them call the methods below in the same order and with the same batches.
   */
  default ProcessGroup group() {
    return ProcessGroup.alone();
  }

  /** How many batches are computed at the same time, by all processes, at least 1. */
  int replicas();

  /** Whether gradients are float16, and {@link #scaleLoss} keeps them from becoming 0. */
  boolean scalesLoss();

  /**
   * Sets the factor, 1 at first, that gradients have while they are float16. It changes no gradient
   * of a parameter unless one overflows on the way: then {@link Step#gradientNorm} is not finite.
   */
  void scaleLoss(float factor);

  /** Makes the next training step start a new accumulation window. */
  void resetGradients();

  /**
   * Runs the forward and the backward pass and adds the gradients to those of the window; a step
   * that is not the last one of its window.
   *
   * @param batches 1 to {@link #replicas}, one for each replica; read before this returns
   * @param gradientScale multiplies the gradients
   * @return a step without a gradient norm, which is not a number
   * @throws OnnxRuntimeException if a replica fails; the others finish the step, and nothing but
   *     {@link #close} is possible then
   */
  Step trainStep(List<Batch> batches, float gradientScale);

  /**
   * The last step of a window, after which the gradients of a replica are the mean over those
   * replicas that had a batch in this window.
   *
   * @param maxGradientNorm the window's gradients are scaled down to this norm if theirs is larger;
   *     infinity leaves them alone
   */
  Step lastTrainStep(List<Batch> batches, float gradientScale, float maxGradientNorm);

  /** The last step of a window for one batch. */
  default Step trainStep(Batch batch, float gradientScale, float maxGradientNorm) {
    return lastTrainStep(List.of(batch), gradientScale, maxGradientNorm);
  }

  /** Updates the parameters with the gradients of the window. */
  void optimizerStep(float learningRate);

  /**
   * The loss and metrics of each batch.
   *
   * @param batches 1 to {@link #replicas}
   */
  List<Evaluation> evaluate(List<Batch> batches);

  /** The loss and metrics of one batch. */
  default Evaluation evaluate(Batch batch) {
    return evaluate(List.of(batch)).get(0);
  }

  /**
   * Values that the evaluation of each batch gives besides.
   *
   * @param batches 1 to {@link #replicas}
   * @param name of an output, as the objective calls it, {@link ForwardPass#output}
   * @throws IllegalArgumentException if the objective gives nothing of this name
   */
  List<float[]> evaluate(List<Batch> batches, String name);

  /** Values that the evaluation of one batch gives besides. */
  default float[] evaluate(Batch batch, String name) {
    return evaluate(List.of(batch), name).get(0);
  }

  /**
   * The parameters of the first replica, to be read while no step is running. Each call gives
   * another handle on the same memory.
   */
  SharedWeights weights();

  /**
   * Makes sure that the processes that train together have the same weights, and lets go of what a
   * checkpoint does not hold; all of them call it before one saves.
   *
   * @throws OnnxRuntimeException if weights differ
   */
  default void prepareCheckpoint() {}

  /**
   * Writes parameters and optimizer state; for one of the processes to call.
   *
   * @throws OnnxRuntimeException if it cannot be written, or replicas differ
   */
  void saveCheckpoint(Path file);

  /**
   * The time that it has taken so far to average gradients, to hand the mean to all replicas, and
   * to clip it there; 0 where there is one.
   */
  default double averagingSeconds() {
    return 0;
  }

  /** How gradients are averaged, for people: by what, or in which memory. */
  default String averaging() {
    return "";
  }

  @Override
  void close();
}

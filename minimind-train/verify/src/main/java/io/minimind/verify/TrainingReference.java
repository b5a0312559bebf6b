package io.minimind.verify;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.model.ModelConfig;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A training run of the original, of one of its versions. */
sealed interface TrainingReference permits GoldenReference, HeadReference {

  ModelConfig model();

  /** What its files call the parameters. */
  TensorNames names();

  /**
   * The weights that it begins with.
   *
   * @param name of the run's files in the folder
   */
  List<NamedTensor> start(GoldenFolder golden, String name) throws IOException;

  /**
   * Logits and gradients of the first micro-batch, where there are some.
   *
   * @param name of the run's files in the folder
   */
  Optional<SafetensorsFile> firstStep(GoldenFolder golden, String name) throws IOException;

  OptimizerSettings optimizerSettings();

  /** The norm to which gradients are clipped. */
  float gradClip();

  int microBatches();

  /**
   * Micro-batches of an update, and what the loss of each is divided by; the last may have less.
   */
  int accumulationSteps();

  Batch batch(int micro);

  float learningRate(int update);

  /** One for each micro-batch, or one for each update, which is the mean over its micro-batches. */
  double[] losses();

  /** One for each update. */
  double[] gradNormsBeforeClip();

  /** That of the first micro-batch, after the last update. */
  double lossAfter();

  /** By the name of the tensor; none where they are not known. */
  Map<String, Double> weightNormsAfter();
}

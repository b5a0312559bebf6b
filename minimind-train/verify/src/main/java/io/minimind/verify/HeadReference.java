package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A training run of MiniMind's third version.
 *
 * @param weights the file of the start weights
 * @param learningRates one for each micro-batch
 * @param inputIds [micro-batches][rows][length]
 * @param labels alike; those of a position are of the token itself, and -100 does not count
 * @param losses one for each micro-batch
 */
record HeadReference(
    JsonNode config,
    String weights,
    String optimizer,
    float gradClip,
    int accumulationSteps,
    float[] learningRates,
    long[][][] inputIds,
    long[][][] labels,
    double[] losses,
    double[] gradNormsBeforeClip,
    double lossAfter,
    Map<String, Double> weightNormsAfter)
    implements TrainingReference {

  private static final String ADAM = "torch.optim.AdamW: betas 0.9 0.999, eps 1e-8, weight_decay ";
  private static final long IGNORED = -100;

  @Override
  public ModelConfig model() {
    return HeadConfig.of(config);
  }

  @Override
  public TensorNames names() {
    return TensorNames.TRANSFORMERS;
  }

  @Override
  public List<NamedTensor> start(GoldenFolder golden, String name) throws IOException {
    return parameters(golden, weights, model());
  }

  @Override
  public Optional<SafetensorsFile> firstStep(GoldenFolder golden, String name) throws IOException {
    String file = name + ".step0";
    return golden.hasTensors(file) ? Optional.of(golden.tensors(file)) : Optional.empty();
  }

  /**
   * The parameters of a model, in the order of its graphs.
   *
   * @param file of the weights, as references name it
   */
  static List<NamedTensor> parameters(GoldenFolder golden, String file, ModelConfig config)
      throws IOException {
    return golden.parameters(file.replace(".safetensors", ""), config, TensorNames.TRANSFORMERS);
  }

  @Override
  public OptimizerSettings optimizerSettings() {
    return optimizerSettings(optimizer, gradClip);
  }

  /**
   * @param optimizer as the references describe it
   * @throws IllegalArgumentException if it is none that can be repeated
   */
  static OptimizerSettings optimizerSettings(String optimizer, float gradClip) {
    if (!optimizer.startsWith(ADAM)) {
      throw new ArgumentException(
          "The reference used the optimizer \"%s\", but only \"%s…\" can be repeated."
              .formatted(optimizer, ADAM));
    }
    float decay = Float.parseFloat(optimizer.substring(ADAM.length()).replaceFirst(" .*", ""));
    return new OptimizerSettings(0.9f, 0.999f, 1e-8f, decay, gradClip);
  }

  @Override
  public int microBatches() {
    return inputIds.length;
  }

  /** That of its last micro-batch. */
  @Override
  public float learningRate(int update) {
    return learningRates[Math.min((update + 1) * accumulationSteps, microBatches()) - 1];
  }

  /** All positions, because a router counts them all; the last one of a row has no target. */
  @Override
  public Batch batch(int micro) {
    return batch(inputIds[micro], labels[micro]);
  }

  /**
   * A batch of rows of one length.
   *
   * @param rows labels of the tokens themselves, -100 where they do not count
   */
  static Batch batch(long[][] inputIds, long[][] rows) {
    int length = rows[0].length;
    long[] targets = new long[rows.length * length];
    float[] mask = new float[targets.length];
    for (int row = 0; row < rows.length; row++) {
      for (int i = 0; i + 1 < length; i++) {
        if (rows[row][i + 1] != IGNORED) {
          targets[row * length + i] = rows[row][i + 1];
          mask[row * length + i] = 1;
        }
      }
    }
    long[] ids = Stream.of(inputIds).flatMapToLong(Arrays::stream).toArray();
    return Batch.of(rows.length, length, ids, targets, mask);
  }
}

package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A training run of MiniMind's third version.
 *
 * @param weights the file of the start weights
 * @param accumulationSteps micro-batches of an update, and what the loss of each is divided by; the
 *     last update may have fewer
 * @param learningRates one for each micro-batch
 * @param inputIds [micro-batches][rows][length]
 * @param labels alike; those of a position are of the token itself, and -100 does not count
 * @param losses one for each micro-batch
 * @param gradNormsBeforeClip one for each update
 * @param lossAfter of the first micro-batch, after the last update
 * @param weightNormsAfter by the name of the tensor
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
    Map<String, Double> weightNormsAfter) {

  private static final String ADAM = "torch.optim.AdamW: betas 0.9 0.999, eps 1e-8, weight_decay ";
  private static final long IGNORED = -100;

  ModelConfig model() {
    return HeadConfig.of(config);
  }

  /** The name of the file of the start weights. */
  String start() {
    return name(weights);
  }

  /** The name of a file of weights, as {@link GoldenFolder} knows it. */
  static String name(String weights) {
    return weights.replace(".safetensors", "");
  }

  OptimizerSettings optimizerSettings() {
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

  /** All positions, because a router counts them all; the last one of a row has no target. */
  Batch batch(int micro) {
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

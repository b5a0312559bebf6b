package io.minimind.verify;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * A training run of the original.
 *
 * @param accumulationSteps micro-batches per update
 * @param optimizer a description such as {@code Adam betas=0.9,0.999 eps=1e-8 weight_decay=0}
 * @param gradClip the norm to which gradients are clipped
 * @param learningRates one per update
 * @param inputIds [micro-batches][rows][length], as labels and mask
 * @param losses one per update, the mean over its micro-batches
 * @param gradNormsBeforeClip one per update
 * @param lossAfter of the first micro-batch, after the last update
 */
record TrainingReference(
    GoldenConfig config,
    int accumulationSteps,
    String optimizer,
    float gradClip,
    float[] learningRates,
    long[][][] inputIds,
    long[][][] labels,
    float[][][] lossMask,
    double[] losses,
    double[] gradNormsBeforeClip,
    double lossAfter) {

  OptimizerSettings optimizerSettings() {
    return Adam.of(optimizer, gradClip);
  }

  Batch batch(int micro) {
    float[][] mask = lossMask[micro];
    float[] flatMask = new float[mask.length * mask[0].length];
    for (int row = 0; row < mask.length; row++) {
      System.arraycopy(mask[row], 0, flatMask, row * mask[0].length, mask[0].length);
    }
    return Batch.of(
        mask.length, mask[0].length, flat(inputIds[micro]), flat(labels[micro]), flatMask);
  }

  private static long[] flat(long[][] rows) {
    return Stream.of(rows).flatMapToLong(Arrays::stream).toArray();
  }
}

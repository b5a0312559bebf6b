package io.minimind.verify;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
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
 * A training run of MiniMind's first version.
 *
 * @param optimizer a description such as {@code Adam betas=0.9,0.999 eps=1e-8 weight_decay=0}
 * @param learningRates one per update
 * @param inputIds [micro-batches][rows][length], as labels and mask
 * @param losses one per update
 */
record GoldenReference(
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
    double lossAfter)
    implements TrainingReference {

  @Override
  public ModelConfig model() {
    return config.model();
  }

  @Override
  public TensorNames names() {
    return TensorNames.MINIMIND;
  }

  @Override
  public List<NamedTensor> start(GoldenFolder golden, String name) throws IOException {
    return golden.parameters(name, model());
  }

  @Override
  public Optional<SafetensorsFile> firstStep(GoldenFolder golden, String name) throws IOException {
    return Optional.of(golden.tensors(name + ".step0"));
  }

  @Override
  public int microBatches() {
    return inputIds.length;
  }

  @Override
  public float learningRate(int update) {
    return learningRates[update];
  }

  @Override
  public Map<String, Double> weightNormsAfter() {
    return Map.of();
  }

  @Override
  public OptimizerSettings optimizerSettings() {
    return Adam.of(optimizer, gradClip);
  }

  @Override
  public Batch batch(int micro) {
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

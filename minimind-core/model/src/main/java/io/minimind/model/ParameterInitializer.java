package io.minimind.model;

import io.minimind.graph.Tensor;
import io.minimind.weights.NamedTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * MiniMind's start weights: norm weights 1, matrices normal with deviation 0.02, those that write
 * into the residual stream ({@code wo} and, as in the original, {@code w3}) with 0.02 / sqrt(2 ·
 * layers), gates of experts uniform within 1 / sqrt(width).
 */
public final class ParameterInitializer {

  private static final double DEVIATION = 0.02;

  private ParameterInitializer() {}

  /** Draws every parameter; the same seed gives the same weights on every machine. */
  public static List<NamedTensor> initialize(
      List<Tensor> parameters, ModelConfig config, long seed) {
    return parameters.stream().map(parameter -> initialize(parameter, config, seed)).toList();
  }

  private static NamedTensor initialize(Tensor parameter, ModelConfig config, long seed) {
    long[] extents = parameter.shape().extents();
    float[] values = new float[Math.toIntExact(parameter.shape().elements().extent())];
    if (extents.length == 1) {
      Arrays.fill(values, 1);
    } else {
      boolean residual =
          parameter.name().endsWith(".wo.weight") || parameter.name().endsWith(".w3.weight");
      double deviation = residual ? DEVIATION / Math.sqrt(2.0 * config.layers()) : DEVIATION;
      // A stream of its own for each name: weights do not depend on the order of declaration.
      Random random = new Random(31 * seed + parameter.name().hashCode());
      boolean gate = MixtureOfExperts.isGate(parameter.name());
      double bound = 1 / Math.sqrt(extents[1]);
      for (int i = 0; i < values.length; i++) {
        double drawn =
            gate ? bound * (2 * random.nextDouble() - 1) : deviation * random.nextGaussian();
        values[i] = (float) drawn;
      }
    }
    return NamedTensor.ofFloats(parameter.name(), values, extents);
  }
}

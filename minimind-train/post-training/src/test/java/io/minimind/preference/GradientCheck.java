package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.graph.ModelRunner;
import io.minimind.weights.NamedTensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Holds a gradient against what the loss does when a weight moves along it. */
final class GradientCheck {

  private GradientCheck() {}

  /**
   * @param weight one of the weights
   * @param loss of these weights
   */
  static void assertIsSlope(
      NamedTensor gradient,
      NamedTensor weight,
      List<NamedTensor> weights,
      ToDoubleFunction<List<NamedTensor>> loss) {
    double[] direction = ModelRunner.doubles(gradient);
    double norm = norm(direction);
    double step = 0.01 / Math.max(1, norm);
    double up = loss.applyAsDouble(moved(weights, weight, direction, step / norm));
    double down = loss.applyAsDouble(moved(weights, weight, direction, -step / norm));
    assertEquals(norm, (up - down) / (2 * step), 0.02 * norm + 1e-4, weight.name());
  }

  static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(value -> value * value).sum());
  }

  private static List<NamedTensor> moved(
      List<NamedTensor> weights, NamedTensor which, double[] direction, double step) {
    return weights.stream()
        .map(weight -> weight == which ? moved(weight, direction, step) : weight)
        .toList();
  }

  private static NamedTensor moved(NamedTensor weight, double[] direction, double step) {
    double[] values = ModelRunner.doubles(weight);
    float[] moved = new float[values.length];
    for (int i = 0; i < moved.length; i++) {
      moved[i] = (float) (values[i] + step * direction[i]);
    }
    return NamedTensor.ofFloats(weight.name(), moved, weight.shape());
  }
}

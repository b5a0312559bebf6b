package io.minimind.model;

import io.minimind.weights.NamedTensor;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Weights that a formula gives, large enough for every part of a model to matter: element i of the
 * parameter with rank p among the sorted names is 0.3 · sin(p + i²), and 1 + 0.1 · sin(p + i²) in
 * norms.
 */
public final class Weights {

  private Weights() {}

  /** The weights of a model, sorted by name. */
  public static List<NamedTensor> of(ModelConfig config) {
    List<Parameter> sorted =
        new Parameters(config)
            .all().stream().sorted(Comparator.comparing(Parameter::name)).toList();
    return IntStream.range(0, sorted.size()).mapToObj(p -> weight(p, sorted.get(p))).toList();
  }

  private static NamedTensor weight(int p, Parameter parameter) {
    boolean norm = parameter.shape().rank() == 1 && !parameter.role().isBias();
    float[] values = new float[(int) parameter.shape().elements().extent()];
    for (int i = 0; i < values.length; i++) {
      double sine = Math.sin(p + (double) i * i);
      values[i] = (float) (norm ? 1 + 0.1 * sine : 0.3 * sine);
    }
    return NamedTensor.ofFloats(parameter.name(), values, parameter.shape().extents());
  }
}

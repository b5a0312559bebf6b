package io.minimind.verify;

import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.SharedWeights;
import io.minimind.weights.NamedTensor;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The norms of the weights that training left. */
final class WeightNorms {

  static final double LIMIT = 1e-3;

  private WeightNorms() {}

  /**
   * The relative differences from reference numbers.
   *
   * @param expected by the names of the original
   */
  static Worst of(ModelInTraining trained, ModelConfig config, Map<String, Double> expected) {
    Worst worst = new Worst();
    try (SharedWeights weights = trained.weights()) {
      weights.refresh();
      Map<String, NamedTensor> byName =
          weights.tensors().stream()
              .collect(Collectors.toMap(NamedTensor::name, Function.identity()));
      for (Parameter parameter : new Parameters(config).all()) {
        String theirs = TensorNames.TRANSFORMERS.of(parameter);
        double norm = expected.getOrDefault(theirs, Double.NaN);
        worst.add(theirs, Math.abs(norm(byName.get(parameter.name())) - norm) / norm);
      }
    }
    return worst;
  }

  private static double norm(NamedTensor tensor) {
    FloatBuffer values = tensor.floats();
    double sum = 0;
    for (int i = 0; i < values.limit(); i++) {
      sum += (double) values.get(i) * values.get(i);
    }
    return Math.sqrt(sum);
  }
}

package io.minimind.verify;

import io.minimind.model.Parameter;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The norms of the weights that training left. */
final class WeightNorms {

  static final double LIMIT = 1e-3;

  private WeightNorms() {}

  /**
   * Adds each relative difference.
   *
   * @param expected by the names of the original
   */
  static void compare(
      Worst worst, Path checkpoint, List<Parameter> parameters, Map<String, Double> expected)
      throws IOException {
    Map<String, NamedTensor> trained = new HashMap<>();
    TrainingCheckpoint.read(checkpoint).trainable().forEach(each -> trained.put(each.name(), each));
    for (Parameter parameter : parameters) {
      String theirs = TensorNames.TRANSFORMERS.of(parameter);
      FloatBuffer values = trained.get(parameter.name()).floats();
      double sum = 0;
      for (int i = 0; i < values.limit(); i++) {
        sum += (double) values.get(i) * values.get(i);
      }
      double norm = expected.getOrDefault(theirs, Double.NaN);
      worst.add(theirs, Math.abs(Math.sqrt(sum) - norm) / norm);
    }
  }
}

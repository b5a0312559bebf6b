package io.minimind.verify;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.Parameter;
import io.minimind.model.TensorNames;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What graphs give for one batch, gradients included. It is computed on the CPU, with the kernels
 * that train there.
 */
record FirstStep(Map<String, FloatBuffer> outputs) {

  private static final double GRADIENTS_LIMIT = 1e-3;

  /**
   * The least size of a gradient, as a share of the largest of all, of which an error can be told.
   * One of less is what float32 leaves of terms that cancel, as all are of a router that chooses
   * one expert and whose weight is divided by itself.
   */
  private static final double LEAST_SHARE = 1e-4;

  static FirstStep of(TrainingArtifacts artifacts, Batch batch, List<NamedTensor> weights) {
    Map<String, FloatBuffer> outputs = new HashMap<>();
    ModelInTraining.builder(artifacts)
        .weights(weights)
        .gradients(batch)
        .forEach((name, values) -> outputs.put(name, FloatBuffer.wrap(values)));
    return new FirstStep(outputs);
  }

  FloatBuffer values(String output) {
    return outputs.get(output);
  }

  /**
   * Each difference is relative to the parameter's largest element, or to what float32 can tell of
   * the largest of all.
   *
   * @param names those of the file
   * @param prefix of the names in the file
   */
  Case gradients(
      String name,
      List<Parameter> parameters,
      SafetensorsFile file,
      TensorNames names,
      String prefix)
      throws IOException {
    Map<String, FloatBuffer> expected = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      String theirs = prefix + names.of(parameter);
      expected.put(parameter.name(), GoldenFolder.tensor(file, theirs).floats());
    }
    double least =
        LEAST_SHARE * expected.values().stream().mapToDouble(FirstStep::size).max().orElse(0);
    Worst worst = new Worst();
    for (Parameter parameter : parameters) {
      FloatBuffer theirs = expected.get(parameter.name());
      FloatBuffer found = values(parameter.name() + TrainingArtifacts.GRADIENT);
      double difference = Worst.difference(theirs, found);
      double size = Math.max(size(theirs), least);
      worst.add(prefix + names.of(parameter), difference == 0 ? 0 : difference / size);
    }
    return worst.against(name + " gradients", GRADIENTS_LIMIT);
  }

  private static double size(FloatBuffer gradient) {
    return Worst.difference(gradient, FloatBuffer.allocate(gradient.remaining()));
  }
}

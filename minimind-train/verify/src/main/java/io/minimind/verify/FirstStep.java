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
import java.util.List;
import java.util.Map;

/**
 * What graphs give for one batch, gradients included. It is computed on the CPU, with the kernels
 * that train there.
 */
record FirstStep(Map<String, FloatBuffer> outputs) {

  private static final double GRADIENTS_LIMIT = 1e-3;

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
   * Each difference is relative to the largest element, if one is not 0, as all are of an expert
   * that no token met.
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
    Worst worst = new Worst();
    for (Parameter parameter : parameters) {
      String theirs = prefix + names.of(parameter);
      FloatBuffer expected = GoldenFolder.tensor(file, theirs).floats();
      FloatBuffer found = values(parameter.name() + TrainingArtifacts.GRADIENT);
      double size = Worst.difference(expected, FloatBuffer.allocate(expected.remaining()));
      double difference = Worst.difference(expected, found);
      worst.add(theirs, size == 0 ? difference : difference / size);
    }
    return worst.against(name + " gradients", GRADIENTS_LIMIT);
  }
}

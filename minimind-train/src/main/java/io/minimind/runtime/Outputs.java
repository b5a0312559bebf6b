package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.runtime.ModelInTraining.Evaluation;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a training step or an evaluation gives, in native memory that lives until this is closed.
 */
record Outputs(List<String> names, Values values) implements AutoCloseable {

  private static final Set<String> NO_METRICS =
      Set.of(
          TrainingArtifacts.LOSS,
          TrainingArtifacts.GRADIENT_NORM,
          TrainingArtifacts.LOG_PROBABILITIES);

  float scalar(String name) {
    return values.scalar(names.indexOf(name));
  }

  FloatBuffer floats(String name) {
    return values.floats(names.indexOf(name));
  }

  /** The loss, and whatever else the objective reports. */
  Evaluation evaluation() {
    Map<String, Float> metrics = new LinkedHashMap<>();
    for (String name : names) {
      if (!NO_METRICS.contains(name) && !name.endsWith(TrainingArtifacts.GRADIENT)) {
        metrics.put(name, scalar(name));
      }
    }
    return new Evaluation(scalar(TrainingArtifacts.LOSS), metrics);
  }

  @Override
  public void close() {
    values.close();
  }
}

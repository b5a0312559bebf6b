package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.files.ArgumentException;
import io.minimind.runtime.ModelInTraining.Evaluation;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a training step or an evaluation gives, in native memory that lives until this is closed.
 */
record Outputs(List<String> names, Values values) implements AutoCloseable {

  float scalar(String name) {
    return floats(name).get(0);
  }

  /** The first number of an int64 tensor. */
  long integer(String name) {
    return values.integer(index(name));
  }

  /**
   * @throws IllegalArgumentException if the graph gives nothing of this name
   */
  FloatBuffer floats(String name) {
    return values.floats(index(name));
  }

  private int index(String name) {
    int index = names.indexOf(name);
    if (index < 0) {
      throw new ArgumentException("The graph gives no %s: it gives %s.".formatted(name, names));
    }
    return index;
  }

  /**
   * The loss, and what the objective reports besides.
   *
   * @param metrics the names of that
   */
  Evaluation evaluation(List<String> metrics) {
    Map<String, Float> found = new LinkedHashMap<>();
    for (String name : metrics) {
      found.put(name, scalar(name));
    }
    return new Evaluation(scalar(TrainingArtifacts.LOSS), found);
  }

  /** Values that outlive the native memory. */
  static float[] copy(FloatBuffer values) {
    float[] copy = new float[values.remaining()];
    values.get(copy);
    return copy;
  }

  @Override
  public void close() {
    values.close();
  }
}

package io.minimind.runtime;

import io.minimind.artifact.TrainingArtifacts;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.FloatPointer;

/** The numbers that the graphs of training take besides a batch, 1 until they are set. */
final class Scalars implements AutoCloseable {

  private final Map<String, FloatPointer> values =
      List.of(
              TrainingArtifacts.GRADIENT_SCALE,
              TrainingArtifacts.LOSS_SCALE,
              TrainingArtifacts.MAX_GRADIENT_NORM)
          .stream()
          .collect(Collectors.toMap(Function.identity(), name -> new FloatPointer(1).put(1)));

  void set(String name, float value) {
    values.get(name).put(value);
  }

  /**
   * Where a number lies.
   *
   * @throws OnnxRuntimeException if a graph asks for one that it is not given
   */
  FloatPointer get(String name) {
    FloatPointer value = values.get(name);
    if (value == null) {
      throw new OnnxRuntimeException(
          "The graph asks for the input %s, which the batch does not have.".formatted(name));
    }
    return value;
  }

  @Override
  public void close() {
    values.values().forEach(FloatPointer::close);
  }
}

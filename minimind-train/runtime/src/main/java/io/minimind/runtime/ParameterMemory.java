package io.minimind.runtime;

import io.minimind.graph.ElementType;
import io.minimind.weights.NamedTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Where the parameters of a state lie in the memory of the host. The runtime keeps a tensor as long
 * as anyone holds it, so this memory stays, also when the state is closed, until the last user lets
 * go of it.
 */
final class ParameterMemory {

  private final Outputs held;
  private final List<NamedTensor> tensors;
  private int users = 1; // guarded by this

  private ParameterMemory(Outputs held, List<NamedTensor> tensors) {
    this.held = held;
    this.tensors = tensors;
  }

  /**
   * Must come before the sessions that train: an optimizer takes the gradients of the session that
   * was made last, and the session that is needed here has some, which are freed again.
   *
   * @param model what {@code TrainingArtifacts.weights} gives
   * @throws OnnxRuntimeException if the runtime refuses the file
   */
  static ParameterMemory of(ParameterState state, Path model) {
    try (NativeSession session =
            NativeSession.create(
                state, model, Optional.empty(), Optional.empty(), Device.CPU, 1, false);
        Values none = new Values(0)) {
      Outputs held = session.trainStep(none);
      List<NamedTensor> tensors = new ArrayList<>();
      for (int i = 0; i < held.names().size(); i++) {
        String name = held.names().get(i);
        tensors.add(
            new NamedTensor(name, ElementType.FLOAT32, state.shape(name), held.values().bytes(i)));
      }
      return new ParameterMemory(held, List.copyOf(tensors));
    }
  }

  /** Views of the memory, in the order of the graphs. */
  List<NamedTensor> tensors() {
    return tensors;
  }

  /** Multiplies parameters with a factor where they lie. */
  void multiply(Collection<String> names, float factor) {
    for (int i = 0; i < held.names().size(); i++) {
      if (names.contains(held.names().get(i))) {
        FloatBuffer values = held.values().bytes(i).asFloatBuffer();
        for (int k = 0; k < values.limit(); k++) {
          values.put(k, values.get(k) * factor);
        }
      }
    }
  }

  synchronized void retain() {
    users++;
  }

  synchronized void release() {
    users--;
    if (users == 0) {
      held.close();
    }
  }
}

package io.minimind.runtime;

import io.minimind.weights.NamedTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The parameters of a model in training, for others to read: trained ones and those that stay as
 * they are. On the CPU this is the very memory that is trained, and every update is seen at once;
 * what is read while an update runs is partly old and partly new. Of another device it is a copy,
 * which {@link #refresh} renews.
 *
 * <p>The memory stays until this is closed, also if the model in training is closed before.
 */
public final class SharedWeights implements AutoCloseable {

  private final ParameterState state;
  private final Optional<ParameterMemory> memory;
  private final Map<String, ByteBuffer> copies;
  private final List<NamedTensor> tensors;
  private long updates = -1;
  private boolean open = true;

  private SharedWeights(
      ParameterState state,
      Optional<ParameterMemory> memory,
      Map<String, ByteBuffer> copies,
      List<NamedTensor> tensors) {
    this.state = state;
    this.memory = memory;
    this.copies = copies;
    this.tensors = tensors;
  }

  static SharedWeights inPlace(ParameterState state, ParameterMemory memory) {
    memory.retain();
    return new SharedWeights(state, Optional.of(memory), Map.of(), memory.tensors());
  }

  /**
   * @param like names and shapes
   */
  static SharedWeights copied(ParameterState state, List<NamedTensor> like) {
    Map<String, ByteBuffer> copies = new LinkedHashMap<>();
    for (NamedTensor tensor : like) {
      int bytes = Math.toIntExact(tensor.elements() * tensor.type().bytes());
      copies.put(tensor.name(), ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()));
    }
    List<NamedTensor> tensors =
        like.stream()
            .map(t -> new NamedTensor(t.name(), t.type(), t.shape(), copies.get(t.name())))
            .toList();
    return new SharedWeights(state, Optional.empty(), copies, tensors);
  }

  /**
   * Every parameter, in the order of the graphs, as a view of native memory that must not be used
   * after {@link #close}.
   */
  public List<NamedTensor> tensors() {
    return tensors;
  }

  /**
   * Makes {@link #tensors} those of the last update.
   *
   * @return whether they may have changed since the last call
   * @throws IllegalStateException if the copy is older than the last update, and the model in
   *     training is closed
   */
  public synchronized boolean refresh() {
    if (!open) {
      throw new IllegalStateException("The weights are closed.");
    }
    long now = state.updates();
    if (now == updates) {
      return false;
    }
    copies.forEach(
        (name, copy) -> state.read(name, values -> copy.put(0, values, 0, copy.capacity())));
    updates = now;
    return true;
  }

  @Override
  public synchronized void close() {
    if (open) {
      open = false;
      memory.ifPresent(ParameterMemory::release);
    }
  }
}

package io.minimind.interchange;

import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** The tensors of a model, with a memory of which were used: what is left over is refused. */
final class TensorSet {

  private final String source;
  private final Map<String, StreamedTensor> tensors;
  private final Set<String> left;

  /**
   * @param source what to call it in messages
   */
  TensorSet(String source, Map<String, StreamedTensor> tensors) {
    this.source = source;
    this.tensors = new LinkedHashMap<>(tensors);
    left = new TreeSet<>(tensors.keySet());
  }

  String source() {
    return source;
  }

  int size() {
    return tensors.size();
  }

  boolean has(String name) {
    return tensors.containsKey(name);
  }

  Set<String> names() {
    return tensors.keySet();
  }

  /** A tensor, if it is there; it counts as used. */
  Optional<StreamedTensor> take(String name) {
    left.remove(name);
    return Optional.ofNullable(tensors.get(name));
  }

  /** A tensor that must be there. */
  StreamedTensor require(String name) throws IOException {
    return take(name)
        .orElseThrow(
            () ->
                new IOException(
                    "%s holds no tensor %s, which the model needs.".formatted(source, name)));
  }

  /** Looks at a tensor without using it. */
  StreamedTensor peek(String name) throws IOException {
    StreamedTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IOException(
          "%s holds no tensor %s, which the model needs.".formatted(source, name));
    }
    return tensor;
  }

  /** Puts a tensor in the place of another. */
  void replace(String name, StreamedTensor tensor) {
    if (tensors.put(name, tensor) == null) {
      left.add(name);
    }
  }

  /** Takes what the model does not need. */
  void ignore(Predicate<String> names) {
    left.removeIf(names);
  }

  void requireNothingElse() throws IOException {
    if (!left.isEmpty()) {
      List<String> some = left.stream().limit(3).toList();
      throw new IOException(
          "%s holds %d tensors for which its configuration has no place, such as %s."
              .formatted(source, left.size(), String.join(", ", some)));
    }
  }
}

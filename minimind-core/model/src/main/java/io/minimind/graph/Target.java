package io.minimind.graph;

import java.util.stream.Stream;

/** What a graph will run on, and so which kernels there are for its operators. */
public enum Target {
  /**
   * There are no kernels for half precision: such operators are computed in float32 and their
   * results rounded, so that the numbers are those of a device that has the kernels.
   */
  CPU {
    @Override
    boolean hasAttention(ElementType type) {
      return true;
    }

    @Override
    Stream<Node> kernels(Node node) {
      return HalfPrecision.emulated(node);
    }
  },

  /** The attention operator takes half precision and nothing else. */
  CUDA {
    @Override
    boolean hasAttention(ElementType type) {
      return type.isHalf();
    }

    @Override
    Stream<Node> kernels(Node node) {
      return Stream.of(node);
    }
  };

  /** Whether there is one operator for attention over elements of a type. */
  abstract boolean hasAttention(ElementType type);

  /** What a model has in a node's place. */
  abstract Stream<Node> kernels(Node node);
}

package io.minimind.infer.graph;

import java.util.List;

/**
 * What is known of a tensor before the graph runs.
 *
 * @param type ONNX's number of the element type
 * @param contents the elements of a short tensor of whole numbers, such as a shape; empty where
 *     they are not known
 */
record Value(int type, List<Extent> shape, List<Extent> contents) {
  static final int FLOAT32 = 1;
  static final int UINT8 = 2;
  static final int INT32 = 6;
  static final int INT64 = 7;
  static final int BOOL = 9;

  Value {
    shape = List.copyOf(shape);
    contents = List.copyOf(contents);
  }

  static Value of(int type, List<Extent> shape) {
    return new Value(type, shape, List.of());
  }

  int rank() {
    return shape.size();
  }

  Extent elements() throws GraphException {
    return Extent.product(shape);
  }

  /** Bytes of an element, or 0 if no decoder has such elements. */
  static int bytes(int type) {
    return switch (type) {
      case FLOAT32, INT32 -> 4;
      case INT64 -> 8;
      case UINT8, BOOL -> 1;
      default -> 0;
    };
  }

  @Override
  public String toString() {
    return shape.toString();
  }
}

package io.minimind.infer.graph;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * A model file as it was read, unchecked but for its syntax.
 *
 * @param operatorSets the version of each domain
 * @param metadata free entries
 */
record OnnxModel(
    long irVersion,
    Map<String, Long> operatorSets,
    Map<String, String> metadata,
    List<Port> inputs,
    List<Port> outputs,
    List<Initializer> initializers,
    List<Node> nodes) {

  /**
   * An input or output of the graph.
   *
   * @param type ONNX's number of the element type
   * @param extents a number of at least 0 or a symbol each
   */
  record Port(String name, int type, List<Extent> extents) {}

  /**
   * A tensor that the file brings along.
   *
   * @param data its elements, or nothing where they lie in another file
   * @param integers its elements where they are written as whole numbers one by one
   * @param external where the elements lie in another file; empty otherwise
   */
  record Initializer(
      String name,
      int type,
      List<Long> extents,
      ByteBuffer data,
      List<Long> integers,
      Map<String, String> external) {}

  /**
   * One application of an operator.
   *
   * @param attributes values of type Long, Float or {@code List<Long>}
   */
  record Node(
      String name,
      String operator,
      String domain,
      List<String> inputs,
      List<String> outputs,
      Map<String, Object> attributes) {

    @Override
    public String toString() {
      return domain.isEmpty() ? operator : domain + "." + operator;
    }
  }
}

package io.minimind.graph;

import java.util.List;
import java.util.Map;

/**
 * One application of an operator.
 *
 * @param operator the ONNX operator type, or the name of what the body computes
 * @param domain the operator set, empty for the ONNX one
 * @param attributes values of type Long, Float, String or {@code List<Long>}
 * @param body the nodes that a model has in this one's place; empty for an ONNX operator. It lets
 *     several operators have one gradient rule.
 */
record Node(
    String operator,
    String domain,
    List<Tensor> inputs,
    List<Tensor> outputs,
    Map<String, Object> attributes,
    List<Node> body) {

  Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    attributes = Map.copyOf(attributes);
    body = List.copyOf(body);
  }

  Node(
      String operator,
      String domain,
      List<Tensor> inputs,
      List<Tensor> outputs,
      Map<String, Object> attributes) {
    this(operator, domain, inputs, outputs, attributes, List.of());
  }

  Tensor input(int index) {
    return index < inputs.size() ? inputs.get(index) : Tensor.ABSENT;
  }

  Tensor output(int index) {
    return outputs.get(index);
  }

  long integer(String attribute, long absent) {
    return attributes.get(attribute) instanceof Long value ? value : absent;
  }

  float real(String attribute, float absent) {
    return attributes.get(attribute) instanceof Float value ? value : absent;
  }
}

package io.minimind.graph;

import java.util.List;

/**
 * One application of an operator.
 *
 * @param body the nodes that a model has in this one's place; empty for an operator of the runtime.
 *     It lets several operators have one gradient rule.
 */
public record Node(Operator operator, List<Tensor> inputs, List<Tensor> outputs, List<Node> body) {

  public Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    body = List.copyOf(body);
  }

  Node(Operator operator, List<Tensor> inputs, List<Tensor> outputs) {
    this(operator, inputs, outputs, List.of());
  }

  /** An input, {@link Tensor#ABSENT} if it is left out. */
  public Tensor input(int index) {
    return index < inputs.size() ? inputs.get(index) : Tensor.ABSENT;
  }

  public Tensor output(int index) {
    return outputs.get(index);
  }
}

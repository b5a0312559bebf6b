package io.minimind.graph;

import static io.minimind.graph.ElementType.FLOAT32;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Half precision where tensors are float32 all the same. */
final class HalfPrecision {

  private HalfPrecision() {}

  /** Whether a node has operands or results of a type. */
  static boolean has(ElementType type, Node node) {
    return Stream.concat(node.inputs().stream(), node.outputs().stream())
        .anyMatch(tensor -> tensor.type() == type);
  }

  /**
   * A node whose operator does its own rounding, if any: its tensors are float32 and hold what they
   * are given.
   */
  static Node unrounded(Node node) {
    List<Tensor> inputs = node.inputs().stream().map(HalfPrecision::widened).toList();
    List<Tensor> outputs = node.outputs().stream().map(HalfPrecision::widened).toList();
    if (node.operator() instanceof Cast) {
      boolean same = inputs.get(0).type() == outputs.get(0).type();
      Operator operator = same ? new Identity() : new Cast(outputs.get(0).type());
      return new Node(operator, inputs, outputs);
    }
    return with(node, inputs, outputs);
  }

  /**
   * The nodes that compute the same as a node with half precision operands or results, without a
   * kernel for it: tensors hold only values that their type has, because every result is rounded to
   * them, by a cast there and back. That is also what a kernel does, which adds up in float32 and
   * rounds what it writes.
   */
  static Stream<Node> emulated(Node node) {
    List<Tensor> inputs = node.inputs().stream().map(HalfPrecision::widened).toList();
    List<Tensor> outputs = node.outputs().stream().map(HalfPrecision::widened).toList();
    if (inputs.equals(node.inputs()) && outputs.equals(node.outputs())) {
      return Stream.of(node);
    }
    if (node.operator().movesElements()) {
      return Stream.of(with(node, inputs, outputs));
    }
    if (node.operator() instanceof Cast) {
      Tensor output = node.output(0);
      return output.type().isHalf()
          ? rounding(inputs.get(0), output)
          : Stream.of(with(node, inputs, outputs));
    }
    List<Tensor> exact = new ArrayList<>();
    Stream<Node> roundings = Stream.empty();
    for (Tensor output : node.outputs()) {
      boolean half = output.type().isHalf();
      Tensor result = half ? named(output, ".exact", FLOAT32) : output;
      exact.add(result);
      roundings = half ? Stream.concat(roundings, rounding(result, output)) : roundings;
    }
    return Stream.concat(Stream.of(with(node, inputs, exact)), roundings);
  }

  private static Stream<Node> rounding(Tensor exact, Tensor half) {
    Tensor rounded = named(half, ".rounded", half.type());
    return Stream.of(cast(exact, rounded), cast(rounded, widened(half)));
  }

  private static Tensor widened(Tensor tensor) {
    return tensor.type().isHalf() ? named(tensor, "", FLOAT32) : tensor;
  }

  private static Tensor named(Tensor tensor, String suffix, ElementType type) {
    return new Tensor(tensor.name() + suffix, type, tensor.shape());
  }

  private static Node cast(Tensor from, Tensor to) {
    return new Node(new Cast(to.type()), List.of(from), List.of(to));
  }

  private static Node with(Node node, List<Tensor> inputs, List<Tensor> outputs) {
    return new Node(node.operator(), inputs, outputs);
  }
}

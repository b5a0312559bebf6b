package io.minimind.graph;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * An operator with the values of its attributes, all in one place: what ONNX calls it and what a
 * node of it may have ({@link #specification}), what it gives for which operands ({@link
 * #results}), and how gradients flow back through it ({@link #gradients}).
 *
 * <p>Implement it to compute with an operator that is not here; {@link Graph#add(Operator,
 * Tensor...)} adds a node of it.
 */
public interface Operator {

  /** What a node gives at one of its outputs. */
  record Result(ElementType type, Shape shape) {
    /** What has the type and the shape of a tensor. */
    public static Result like(Tensor tensor) {
      return new Result(tensor.type(), tensor.shape());
    }
  }

  Specification specification();

  /** The attributes that have a value: Long, Float, String or {@code List<Long>}. */
  default Map<String, Object> attributes() {
    return Map.of();
  }

  /**
   * The shape rule.
   *
   * @param inputs as many as the specification allows; {@link Tensor#ABSENT} for one left out
   * @return what the outputs are, in their order
   * @throws IllegalArgumentException if the operands do not fit; {@link Operands} has the checks
   */
  List<Result> results(List<Tensor> inputs);

  /**
   * The gradient rule, a vector-Jacobian product. An operator without one is refused where a loss
   * depends on a parameter through it.
   *
   * @param outputGradients one for each output of the node; {@link Tensor#ABSENT} where the loss
   *     does not depend on it
   * @return for each leading input of the node what adds its gradient to the graph; asked for only
   *     if the loss is differentiated towards that input
   */
  default List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    throw new IllegalArgumentException(
        "The operator " + specification().name() + " has no gradient rule.");
  }

  /**
   * The operator of the domain {@link Specification#OWN} that computes a node of this one where
   * everything is float32, or bf16 that is kept as float32; nothing if there is none, or none that
   * would be faster for this node.
   */
  default Optional<Operator> own(Node node) {
    return Optional.empty();
  }

  /** Whether its outputs are made of elements of its inputs, so that none is ever rounded. */
  default boolean movesElements() {
    return false;
  }
}

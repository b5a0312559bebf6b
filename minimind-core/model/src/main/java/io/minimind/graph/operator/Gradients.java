package io.minimind.graph.operator;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Tensor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Reverse-mode differentiation: appends to a graph the nodes that compute the gradient of a scalar
 * towards its parameters.
 */
public final class Gradients {

  private final Operators operators;
  private final Map<Tensor, Tensor> gradients = new HashMap<>();
  private final Set<Tensor> differentiated;

  private Gradients(Operators operators, Set<Tensor> differentiated) {
    this.operators = operators;
    this.differentiated = differentiated;
  }

  /**
   * Appends the backward pass.
   *
   * @param loss a scalar of the graph
   * @param seed the gradient of {@code loss}, a scalar of its type: 1, or a factor for all
   *     gradients
   * @return the gradient of each trainable parameter, in the order of their declaration
   * @throws IllegalArgumentException if the loss does not depend on a parameter, or an operator on
   *     the way has no gradient rule
   */
  public static Map<Tensor, Tensor> of(Operators operators, Tensor loss, Tensor seed) {
    if (loss.shape().rank() != 0 || !loss.type().isFloating()) {
      throw new IllegalArgumentException(
          "Gradients need a loss that is a floating point scalar, got " + loss + ".");
    }
    if (seed.type() != loss.type() || seed.shape().rank() != 0) {
      throw new IllegalArgumentException(
          "The seed of the loss " + loss + " must be alike, got " + seed + ".");
    }
    Graph graph = operators.graph();
    List<Node> forward = graph.nodes();
    Set<Tensor> differentiated = new HashSet<>(graph.trainableParameters());
    for (Node node : forward) {
      if (node.inputs().stream().anyMatch(differentiated::contains)) {
        node.outputs().stream()
            .filter(output -> output.type().isFloating())
            .forEach(differentiated::add);
      }
    }
    Gradients backward = new Gradients(operators, differentiated);
    backward.gradients.put(loss, seed);
    for (int index = forward.size() - 1; index >= 0; index--) {
      backward.propagate(forward.get(index));
    }
    Map<Tensor, Tensor> result = new LinkedHashMap<>();
    for (Tensor parameter : graph.trainableParameters()) {
      Tensor gradient = backward.gradients.get(parameter);
      if (gradient == null) {
        throw new IllegalArgumentException(
            "The loss " + loss + " does not depend on the parameter " + parameter + ".");
      }
      result.put(parameter, gradient);
    }
    return result;
  }

  private void propagate(Node node) {
    List<Tensor> outputGradients =
        node.outputs().stream()
            .map(output -> gradients.getOrDefault(output, Tensor.ABSENT))
            .toList();
    boolean reached = outputGradients.stream().anyMatch(Tensor::isPresent);
    if (!reached || node.inputs().stream().noneMatch(differentiated::contains)) {
      return;
    }
    List<Supplier<Tensor>> inputGradients =
        node.operator().gradients(operators.graph(), node, outputGradients);
    for (int i = 0; i < inputGradients.size(); i++) {
      Tensor input = node.input(i);
      if (differentiated.contains(input)) {
        accumulate(input, inputGradients.get(i));
      }
    }
  }

  private void accumulate(Tensor tensor, Supplier<Tensor> contribution) {
    Node before = operators.graph().lastNode();
    Tensor term = contribution.get();
    if (!term.shape().equals(tensor.shape()) || term.type() != tensor.type()) {
      throw new IllegalStateException("The gradient of " + tensor + " came out as " + term + ".");
    }
    // A term that was there before may be another tensor's gradient too: it must stay as it is.
    boolean unshared = operators.graph().lastNode() != before;
    gradients.merge(tensor, term, unshared ? this::sum : operators::add);
  }

  /** {@code sum + term}, inside the matrix product that made {@code term} where there is one. */
  private Tensor sum(Tensor sum, Tensor term) {
    Node producer = operators.graph().lastNode();
    boolean fusible = producer.operator() instanceof Gemm && producer.inputs().size() == 2;
    if (!fusible || !producer.output(0).equals(term)) {
      return operators.add(sum, term);
    }
    operators.graph().extendLast(sum);
    return term;
  }
}

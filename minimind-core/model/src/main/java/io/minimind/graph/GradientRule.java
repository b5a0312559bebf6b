package io.minimind.graph;

import java.util.List;
import java.util.function.Supplier;

/** How gradients flow back through one operator: its vector-Jacobian product. */
interface GradientRule {

  /**
   * @param outputGradients one for each output of the node; {@link Tensor#ABSENT} where the loss
   *     does not depend on it
   * @return for each leading input of the node what adds its gradient to the graph; asked for only
   *     if the loss is differentiated towards that input
   */
  List<Supplier<Tensor>> apply(Operators operators, Node node, List<Tensor> outputGradients);
}

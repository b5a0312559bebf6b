package io.minimind.artifact;

import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.InitialLaw;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A head that gives a number for each token: that of a critic, or of a reward model. Its parameters
 * are the objective's own, and begin uniform within one over the root of the width, as PyTorch
 * begins a linear layer.
 *
 * @param name of its weights, {@code .bias} behind it that of its bias
 * @param biased whether it has a bias
 */
public record ScalarHead(String name, boolean biased) {

  /** Its weights [1, width], and its bias [1] if it has one. */
  public List<Parameter> parameters(ModelConfig model) {
    List<Parameter> parameters = new ArrayList<>();
    parameters.add(parameter(name, Shape.of(1, model.hiddenSize()), model));
    if (biased) {
      parameters.add(parameter(name + ".bias", Shape.of(1), model));
    }
    return parameters;
  }

  private static Parameter parameter(String name, Shape shape, ModelConfig model) {
    InitialLaw law = new InitialLaw.Uniform(1 / Math.sqrt(model.hiddenSize()));
    return new Parameter(name, Role.OBJECTIVE, Parameter.NONE, Parameter.NONE, shape, law);
  }

  /**
   * Adds the nodes that compute the numbers.
   *
   * @param states [tokens, width]
   * @param used what a parameter is where it is used
   * @return float32 [tokens]
   */
  public Tensor of(ForwardPass pass, Tensor states, UnaryOperator<Tensor> used) {
    Operators op = pass.operators();
    List<Tensor> parameters =
        parameters(pass.model()).stream().map(pass::parameter).map(used).toList();
    Tensor values = op.linear(states, parameters.get(0));
    Tensor moved = biased ? op.add(values, parameters.get(1)) : values;
    return op.reshape(moved, Shape.of(pass.tokens()));
  }
}

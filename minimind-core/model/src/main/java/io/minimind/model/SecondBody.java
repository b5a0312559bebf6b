package io.minimind.model;

import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * A second body of the same architecture, which an objective trains beside the model under names of
 * its own: a critic, for example.
 *
 * <p>It may learn faster or slower than the model. A parameter that is kept divided by a factor,
 * and multiplied where it is used, learns at that many times the rate: its gradient is that of what
 * is used, so the optimizer clips, averages and divides the very numbers that it would without the
 * factor, and its step is multiplied with the parameter.
 *
 * @param prefix of its parameters' names
 * @param factor of the learning rate, above 0
 */
public record SecondBody(String prefix, float factor) {

  /** Its parameters, in the order of the model's; it has no head. */
  public List<Parameter> parameters(ModelConfig config) {
    return new Parameters(config)
        .all().stream().filter(model -> model.role() != Role.HEAD).map(this::own).toList();
  }

  private Parameter own(Parameter model) {
    return new Parameter(
        prefix + model.module(),
        model.role(),
        model.layer(),
        model.expert(),
        model.shape(),
        model.initial());
  }

  /** The start values of what begins as a parameter, the model's or another. */
  public NamedTensor start(NamedTensor weight) {
    FloatBuffer from = weight.floats();
    float[] values = new float[from.remaining()];
    for (int i = 0; i < values.length; i++) {
      values[i] = from.get(i) / factor;
    }
    return NamedTensor.ofFloats(prefix + weight.name(), values, weight.shape());
  }

  /** What a parameter is where it is used, of which it has the gradient. */
  public Tensor used(Operators op, Tensor parameter) {
    if (factor == 1) {
      return parameter;
    }
    Tensor more = op.graph().constant("rate_factor_less_1", Shape.SCALAR, factor - 1);
    return op.add(parameter, op.stopGradient(op.multiply(parameter, more)));
  }

  /** How one multiplies with its weights. */
  Matrices matrices(Operators op) {
    return new Weights(op);
  }

  private final class Weights implements Matrices {
    private final Operators op;

    Weights(Operators op) {
      this.op = op;
    }

    @Override
    public Tensor plain(Parameter parameter) {
      Parameter own = own(parameter);
      return used(op, op.graph().parameter(own.name(), own.shape().extents()));
    }

    @Override
    public Tensor rows(Parameter matrix, Tensor ids) {
      Shape rows = Shape.of(ids.shape().elements(), Dimension.of(matrix.in()));
      return op.reshape(op.gather(plain(matrix), ids), rows);
    }

    @Override
    public List<Tensor> products(Tensor x, List<Parameter> matrices) {
      return matrices.stream().map(matrix -> op.linear(x, plain(matrix))).toList();
    }
  }
}

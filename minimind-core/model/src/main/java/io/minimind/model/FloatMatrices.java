package io.minimind.model;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;
import java.util.function.Function;

/**
 * Matrices of float32.
 *
 * @param products the type in which one multiplies with them
 * @param declared the tensor of a parameter in the graph
 */
record FloatMatrices(Operators op, ElementType products, Function<Parameter, Tensor> declared)
    implements Matrices {

  /** Those of the model that learns. */
  static FloatMatrices trained(Operators op, ElementType products) {
    return new FloatMatrices(
        op, products, p -> op.graph().parameter(p.name(), p.shape().extents()));
  }

  /**
   * Those of a model beside it, which are not trained.
   *
   * @param model its name
   */
  static FloatMatrices frozen(Operators op, ElementType products, String model) {
    return new FloatMatrices(
        op, products, p -> op.graph().frozenParameter(p.of(model).name(), p.shape().extents()));
  }

  @Override
  public Tensor plain(Parameter parameter) {
    return declared.apply(parameter);
  }

  @Override
  public Tensor rows(Parameter matrix, Tensor ids) {
    Shape rows = Shape.of(ids.shape().elements(), Dimension.of(matrix.in()));
    return op.reshape(op.gather(plain(matrix), ids), rows);
  }

  @Override
  public List<Tensor> products(Tensor x, List<Parameter> matrices) {
    return matrices.stream()
        .map(matrix -> Matrices.product(op, products, x, matrix, plain(matrix)))
        .toList();
  }
}

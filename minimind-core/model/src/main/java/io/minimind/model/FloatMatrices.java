package io.minimind.model;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;

/**
 * Matrices as they are trained.
 *
 * @param products the type in which one multiplies with them
 */
record FloatMatrices(Operators op, ElementType products) implements Matrices {

  @Override
  public Tensor plain(Parameter parameter) {
    return op.graph().parameter(parameter.name(), parameter.shape().extents());
  }

  @Override
  public Tensor rows(Parameter matrix, Tensor ids) {
    Shape rows = Shape.of(ids.shape().elements(), Dimension.of(matrix.in()));
    return op.reshape(op.gather(plain(matrix), ids), rows);
  }

  @Override
  public List<Tensor> products(Tensor x, List<Parameter> matrices) {
    return matrices.stream()
        .map(matrix -> op.linear(op.cast(x, products), op.cast(plain(matrix), products)))
        .toList();
  }
}

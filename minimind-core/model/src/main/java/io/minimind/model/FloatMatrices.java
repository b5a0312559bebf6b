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
  public Tensor plain(String name, long... extents) {
    return op.graph().parameter(name, extents);
  }

  @Override
  public Tensor rows(Matrix matrix, Tensor ids) {
    Shape rows = Shape.of(ids.shape().elements(), Dimension.of(matrix.in()));
    return op.reshape(op.gather(parameter(matrix), ids), rows);
  }

  @Override
  public List<Tensor> products(Tensor x, List<Matrix> matrices) {
    return matrices.stream()
        .map(matrix -> op.linear(op.cast(x, products), op.cast(parameter(matrix), products)))
        .toList();
  }

  private Tensor parameter(Matrix matrix) {
    return op.graph().parameter(matrix.name(), matrix.out(), matrix.in());
  }
}

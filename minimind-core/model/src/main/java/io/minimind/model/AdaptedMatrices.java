package io.minimind.model;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;

/**
 * Matrices that are not trained, with the adapters that are trained beside them.
 *
 * @param products the type in which one multiplies with them
 */
record AdaptedMatrices(Operators op, LowRankAdapters adapters, ElementType products)
    implements Matrices {

  @Override
  public Tensor plain(String name, long... extents) {
    return op.graph().frozenParameter(name, extents);
  }

  @Override
  public Tensor rows(Matrix matrix, Tensor ids) {
    Shape rows = Shape.of(ids.shape().elements(), Dimension.of(matrix.in()));
    return op.reshape(op.gather(frozen(matrix), ids), rows);
  }

  @Override
  public List<Tensor> products(Tensor x, List<Matrix> matrices) {
    return matrices.stream().map(matrix -> product(x, matrix)).toList();
  }

  private Tensor product(Tensor x, Matrix matrix) {
    Tensor y = linear(x, frozen(matrix));
    String layer = LowRankAdapters.layer(matrix.name());
    if (!adapters.adapts(layer)) {
      return y;
    }
    int rank = adapters.rank();
    Tensor a = op.graph().parameter(LowRankAdapters.a(layer), rank, matrix.in());
    Tensor b = op.graph().parameter(LowRankAdapters.b(layer), matrix.out(), rank);
    Tensor scale = op.graph().constant(layer + ".lora_scale", Shape.SCALAR, adapters.scale());
    Tensor scaled = op.multiply(op.cast(linear(x, a), ElementType.FLOAT32), scale);
    return op.add(y, linear(scaled, b));
  }

  private Tensor linear(Tensor x, Tensor weight) {
    return op.linear(op.cast(x, products), op.cast(weight, products));
  }

  private Tensor frozen(Matrix matrix) {
    return op.graph().frozenParameter(matrix.name(), matrix.out(), matrix.in());
  }
}

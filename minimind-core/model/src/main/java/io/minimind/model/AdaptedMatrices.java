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
  public Tensor plain(Parameter parameter) {
    return op.graph().frozenParameter(parameter.name(), parameter.shape().extents());
  }

  @Override
  public Tensor rows(Parameter matrix, Tensor ids) {
    Shape rows = Shape.of(ids.shape().elements(), Dimension.of(matrix.in()));
    return op.reshape(op.gather(plain(matrix), ids), rows);
  }

  @Override
  public List<Tensor> products(Tensor x, List<Parameter> matrices) {
    return matrices.stream().map(matrix -> product(x, matrix)).toList();
  }

  private Tensor product(Tensor x, Parameter matrix) {
    Tensor y = Matrices.product(op, products, x, matrix, plain(matrix));
    if (!adapters.adapts(matrix)) {
      return y;
    }
    Tensor a = trained(adapters.a(matrix));
    Tensor b = trained(adapters.b(matrix));
    Tensor scale = op.graph().constant("lora_scale", Shape.SCALAR, adapters.scale());
    Tensor scaled = op.multiply(op.cast(linear(x, a), ElementType.FLOAT32), scale);
    return op.add(y, linear(scaled, b));
  }

  private Tensor trained(Parameter adapter) {
    return op.graph().parameter(adapter.name(), adapter.shape().extents());
  }

  private Tensor linear(Tensor x, Tensor weight) {
    return op.linear(op.cast(x, products), op.cast(weight, products));
  }
}

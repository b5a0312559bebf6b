package io.minimind.model;

import io.minimind.graph.Tensor;
import java.util.List;

/** The weights of a model: how they are kept decides how one multiplies with them. */
interface Matrices {

  /** A weight that is kept as it is, float32: the vectors, and the small matrices of gates. */
  Tensor plain(Parameter parameter);

  /**
   * Rows of a matrix.
   *
   * @param ids int64 of any shape
   * @return [as many rows as ids, in]
   */
  Tensor rows(Parameter matrix, Tensor ids);

  /**
   * Linear layers that have the same input.
   *
   * @param x [rows, in]
   * @return for each matrix [rows, out], in the type of the products
   */
  List<Tensor> products(Tensor x, List<Parameter> matrices);
}

package io.minimind.model;

import io.minimind.graph.ElementType;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
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

  /**
   * A linear layer that is trained in a type, or stands beside one.
   *
   * <p>Where kernels of this project round the factors of a product to bf16, those of values and of
   * attention's output stay float32 in the forward pass. Of all products it is the rounding of
   * these two that moves gradients most: without it they differ from those of float32 by 0.018 of
   * their norm at most in the reference cases, with it by 0.030. They are 4 percent of a step's
   * multiplications in the presets small and base.
   *
   * @param weight of {@code matrix} as it is multiplied with
   * @return [rows, out], in the type
   */
  static Tensor product(Operators op, ElementType type, Tensor x, Parameter matrix, Tensor weight) {
    Tensor a = op.cast(x, type);
    Tensor b = op.cast(weight, type);
    return matrix.role() == Role.VALUE || matrix.role() == Role.OUTPUT
        ? op.unroundedLinear(a, b)
        : op.linear(a, b);
  }
}

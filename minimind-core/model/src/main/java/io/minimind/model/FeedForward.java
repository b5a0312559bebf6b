package io.minimind.model;

import io.minimind.graph.ElementType;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;

/**
 * A gated feed-forward layer, {@code down (silu(gate x) · up x)} (Shazeer 2020, "SwiGLU"), with or
 * without biases.
 */
record FeedForward(Operators op, Matrices matrices) {

  /** The weights of a layer, and the biases beside them, if it has some. */
  record Weights(Parameter gate, Parameter up, Parameter down, List<Parameter> biases) {}

  /**
   * @param x [rows, width]
   * @return as {@code x}, float32
   */
  Tensor apply(Tensor x, Weights weights) {
    List<Tensor> both = matrices.products(x, List.of(weights.gate(), weights.up()));
    Tensor gate = biased(both.get(0), weights.biases(), 0);
    Tensor up = biased(both.get(1), weights.biases(), 1);
    Tensor gated = op.multiply(op.silu(gate), up);
    Tensor down = matrices.products(gated, List.of(weights.down())).get(0);
    return biased(op.cast(down, ElementType.FLOAT32), weights.biases(), 2);
  }

  private Tensor biased(Tensor x, List<Parameter> biases, int index) {
    return biases.isEmpty() ? x : op.add(x, op.cast(matrices.plain(biases.get(index)), x.type()));
  }
}

package io.minimind.model;

import io.minimind.graph.ElementType;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.Matrices.Matrix;
import java.util.List;

/** A gated feed-forward layer, {@code w2 (silu(w1 x) · w3 x)} (Shazeer 2020, "SwiGLU"). */
record FeedForward(Operators op, ModelConfig config, Matrices matrices) {

  /**
   * @param prefix of the names of its weights
   * @param x [rows, width]
   * @return as {@code x}, float32
   */
  Tensor apply(String prefix, Tensor x) {
    int width = config.hiddenSize();
    int inner = config.feedForwardSize();
    Matrix gate = new Matrix(prefix + "w1.weight", inner, width);
    Matrix up = new Matrix(prefix + "w3.weight", inner, width);
    List<Tensor> both = matrices.products(x, List.of(gate, up));
    Tensor gated = op.multiply(op.silu(both.get(0)), both.get(1));
    Matrix down = new Matrix(prefix + "w2.weight", width, inner);
    return op.cast(matrices.products(gated, List.of(down)).get(0), ElementType.FLOAT32);
  }
}

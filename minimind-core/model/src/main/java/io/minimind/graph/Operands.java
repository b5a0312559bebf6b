package io.minimind.graph;

import java.util.Arrays;

/** Checks of the operands of an operator; each names the operator, what it expects, what it got. */
final class Operands {

  private Operands() {}

  static void expectRank(String operator, Tensor tensor, int rank) {
    if (tensor.shape().rank() != rank) {
      throw expected(operator, "a tensor of rank " + rank, tensor);
    }
  }

  static void expectShape(String operator, Tensor tensor, Shape shape) {
    if (!tensor.shape().equals(shape)) {
      throw expected(operator, "the shape " + shape, tensor);
    }
  }

  /** Cosines and sines [positions, head size / 2]. */
  static void expectAngles(String operator, Tensor cosine, Tensor sine, Dimension headSize) {
    expectRank(operator, cosine, 2);
    expectShape(operator, sine, cosine.shape());
    if (!cosine.shape().dimension(1).times(Dimension.of(2)).equals(headSize)) {
      throw expected(operator, "an angle for each of " + headSize + " / 2 pairs", cosine, sine);
    }
  }

  static void expectType(String operator, Tensor tensor, ElementType type) {
    if (tensor.type() != type) {
      throw expected(operator, "elements of type " + type.name().toLowerCase(), tensor);
    }
  }

  static void expectSingleOrHalf(String operator, Tensor tensor) {
    if (tensor.type() != ElementType.FLOAT32 && !tensor.type().isHalf()) {
      throw expected(operator, "elements of type float32 or of half precision", tensor);
    }
  }

  static void expectFloating(String operator, Tensor tensor) {
    if (!tensor.type().isFloating()) {
      throw expected(operator, "floating point elements", tensor);
    }
  }

  static IllegalArgumentException expected(String operator, String what, Tensor... got) {
    String operands = String.join(" and ", Arrays.stream(got).map(Tensor::toString).toList());
    return new IllegalArgumentException(operator + " expects " + what + ", got " + operands + ".");
  }
}

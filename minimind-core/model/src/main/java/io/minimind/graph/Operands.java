package io.minimind.graph;

import java.util.Arrays;
import java.util.Locale;

/** Checks of the operands of an operator; each names the operator, what it expects, what it got. */
public final class Operands {

  private Operands() {}

  public static void expectRank(Operator operator, Tensor tensor, int rank) {
    if (tensor.shape().rank() != rank) {
      throw expected(operator, "a tensor of rank " + rank, tensor);
    }
  }

  public static void expectShape(Operator operator, Tensor tensor, Shape shape) {
    if (!tensor.shape().equals(shape)) {
      throw expected(operator, "the shape " + shape, tensor);
    }
  }

  public static void expectType(Operator operator, Tensor tensor, ElementType type) {
    if (tensor.type() != type) {
      throw expected(operator, "elements of type " + type.name().toLowerCase(Locale.ROOT), tensor);
    }
  }

  public static void expectSingleOrHalf(Operator operator, Tensor tensor) {
    if (tensor.type() != ElementType.FLOAT32 && !tensor.type().isHalf()) {
      throw expected(operator, "elements of type float32 or of half precision", tensor);
    }
  }

  public static void expectFloating(Operator operator, Tensor tensor) {
    if (!tensor.type().isFloating()) {
      throw expected(operator, "floating point elements", tensor);
    }
  }

  /** The error that an operator throws whose operands are not what it expects. */
  public static IllegalArgumentException expected(Operator operator, String what, Tensor... got) {
    String operands = String.join(" and ", Arrays.stream(got).map(Tensor::toString).toList());
    String name = operator.specification().name();
    return new IllegalArgumentException(name + " expects " + what + ", got " + operands + ".");
  }
}

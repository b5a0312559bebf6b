package io.minimind.runtime;

import io.minimind.graph.operator.OwnGemm;
import io.minimind.runtime.KernelCall.Operand;
import io.minimind.runtime.OneDnn.Matrix;

/**
 * A node that multiplies two matrices, whatever the type of the product.
 *
 * @param transposeA whether the first factor lies in memory by columns
 * @param transposeB whether the second does
 * @param threads of the session
 */
record GemmNode(boolean transposeA, boolean transposeB, int threads) {

  static GemmNode of(KernelNode node) {
    return new GemmNode(
        node.integer(OwnGemm.TRANSPOSE_A) != 0,
        node.integer(OwnGemm.TRANSPOSE_B) != 0,
        node.threads());
  }

  /**
   * What is multiplied in a call.
   *
   * @param a [m, k]
   * @param b [k, n]
   * @param addend [m, n]; its address is 0 if there is none, and may be that of the result
   * @param result [m, n]
   */
  record Product(long m, long n, long k, Matrix a, Matrix b, Matrix addend, Matrix result) {

    boolean adds() {
      return addend.address() != 0;
    }
  }

  Product product(KernelCall call) {
    Operand a = call.input(0);
    Operand b = call.input(1);
    long m = a.extent(transposeA ? 1 : 0);
    long k = a.extent(transposeA ? 0 : 1);
    long n = b.extent(transposeB ? 0 : 1);
    return new Product(
        m,
        n,
        k,
        new Matrix(a.address(), transposeA ? m : k, transposeA),
        new Matrix(b.address(), transposeB ? k : n, transposeB),
        new Matrix(call.optionalInput(2).address(), n),
        new Matrix(call.output(0, m, n).address(), n));
  }
}

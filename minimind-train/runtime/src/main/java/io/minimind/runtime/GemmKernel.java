package io.minimind.runtime;

import io.minimind.runtime.GemmNode.Product;
import io.minimind.runtime.OneDnn.Matrix;

/**
 * The product of two matrices, plus a third if there is one. Each thread of the session computes
 * some rows of the result, or some columns where there are more of these; how many follows from the
 * number of threads alone, so results are equal to the bit for as many threads.
 */
final class GemmKernel implements Kernel {

  /** Parts are multiples of so many rows or columns: few enough that they are equally large. */
  private static final long UNIT = 16;

  /** Multiplications that are not worth another thread. */
  private static final long LEAST = 1 << 20;

  private final GemmNode node;

  GemmKernel(KernelNode node) {
    this.node = GemmNode.of(node);
  }

  @Override
  public void compute(KernelCall call) {
    Product product = node.product(call);
    long m = product.m();
    long n = product.n();
    long k = product.k();
    boolean byRows = m >= n;
    long units = ((byRows ? m : n) + UNIT - 1) / UNIT;
    int parts = (int) Math.max(1, Math.min(Math.min(node.threads(), units), m * n * k / LEAST));
    call.parallel(
        parts,
        0,
        (part, memory) -> {
          long from = units * part / parts * UNIT;
          long to = Math.min(byRows ? m : n, units * (part + 1) / parts * UNIT);
          long row = byRows ? from : 0;
          long column = byRows ? 0 : from;
          long rows = byRows ? to - from : m;
          long columns = byRows ? n : to - from;
          Matrix sum = product.result().part(row, column);
          if (product.adds() && product.addend().address() != product.result().address()) {
            Matrix addend = product.addend().part(row, column);
            long apart = byRows ? rows : 1; // Rows of a part of the columns do not adjoin.
            for (long i = 0; i < rows; i += apart) {
              NativeFloats.move(addend.from(i).address(), sum.from(i).address(), apart * columns);
            }
          }
          try (OneDnn dnn = OneDnn.take()) {
            dnn.product(
                rows,
                columns,
                k,
                1,
                product.a().part(row, 0),
                product.b().part(0, column),
                product.adds() ? 1 : 0,
                sum);
          }
        });
  }
}

package io.minimind.runtime;

import io.minimind.graph.operator.OwnGemm;
import io.minimind.runtime.KernelCall.Operand;
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

  private final boolean transposeA;
  private final boolean transposeB;
  private final int threads;

  GemmKernel(KernelNode node) {
    transposeA = node.integer(OwnGemm.TRANSPOSE_A) != 0;
    transposeB = node.integer(OwnGemm.TRANSPOSE_B) != 0;
    threads = node.threads();
  }

  @Override
  public void compute(KernelCall call) {
    Operand a = call.input(0);
    Operand b = call.input(1);
    Operand c = call.optionalInput(2);
    long m = a.extent(transposeA ? 1 : 0);
    long k = a.extent(transposeA ? 0 : 1);
    long n = b.extent(transposeB ? 0 : 1);
    Operand y = call.output(0, m, n);
    boolean byRows = m >= n;
    long units = ((byRows ? m : n) + UNIT - 1) / UNIT;
    int parts = (int) Math.max(1, Math.min(Math.min(threads, units), m * n * k / LEAST));
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
          Matrix sum = part(y, n, row, column);
          if (c.address() != 0 && c.address() != y.address()) {
            Matrix addend = part(c, n, row, column);
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
                transposeA ? part(a, m, 0, row).transpose() : part(a, k, row, 0),
                transposeB ? part(b, k, column, 0).transpose() : part(b, n, 0, column),
                c.address() == 0 ? 0 : 1,
                sum);
          }
        });
  }

  /** What begins at a row and a column of a matrix with so many columns. */
  private static Matrix part(Operand all, long columns, long row, long column) {
    return new Matrix(all.address() + Float.BYTES * (row * columns + column), columns);
  }
}

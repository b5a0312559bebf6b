package io.minimind.runtime;

import io.minimind.graph.operator.OwnGemm;
import io.minimind.runtime.Bfloat16Products.Tile;
import io.minimind.runtime.KernelCall.Operand;
import io.minimind.runtime.OneDnn.Matrix;
import java.util.List;

/**
 * The product of two matrices rounded to bf16, plus a third if there is one. Tasks compute tiles of
 * rows, all with as many but for the last. How many there are follows from the number of threads
 * alone, so results are equal to the bit for as many threads.
 */
final class Bfloat16GemmKernel implements Kernel {

  /** Rows of a tile at most. */
  private static final long MOST_ROWS = 256;

  /** Tiles have a multiple of so many rows. */
  private static final long UNIT = 16;

  /** Multiplications that are not worth another thread. */
  private static final long LEAST = 1 << 20;

  private final boolean transposeA;
  private final boolean transposeB;
  private final int threads;

  Bfloat16GemmKernel(KernelNode node) {
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
    if (m == 0 || n == 0) {
      return;
    }
    if (k == 0) {
      if (c.address() == 0) {
        NativeFloats.clear(y.address(), m * n);
      } else {
        NativeFloats.move(c.address(), y.address(), m * n);
      }
      return;
    }
    new Product(
            call,
            m,
            new Tile(rows(m, n * k), n, k, transposeA, c.address() != 0),
            new Matrix(a.address(), transposeA ? m : k, transposeA),
            new Matrix(b.address(), transposeB ? k : n, transposeB),
            c.address(),
            y.address())
        .compute(threads);
  }

  /** How many rows a tile has. */
  private long rows(long m, long multiplicationsOfRow) {
    long fewest = (m + MOST_ROWS - 1) / MOST_ROWS;
    long worth = Math.min(threads, m * multiplicationsOfRow / LEAST);
    long count = Math.max(fewest, Math.min(worth, m / UNIT));
    return Math.min(m, (m + count * UNIT - 1) / (count * UNIT) * UNIT);
  }

  /**
   * One call.
   *
   * @param m rows of the first factor, of which a tile has some
   * @param addend 0 if there is none
   */
  private record Product(
      KernelCall call, long m, Tile tile, Matrix a, Matrix b, long addend, long result) {

    void compute(int threads) {
      int tiles = (int) ((m + tile.rows() - 1) / tile.rows());
      Tile last = tile.withRows(m - (tiles - 1) * tile.rows());
      Bfloat16Products products = products(last);
      long parts = Math.min(threads, products.parts(tile.n(), tile.k()));
      call.withMemory(
          products.packedBytes(tile.n(), tile.k()) + Bfloat16Products.ALIGNMENT,
          shared -> {
            long packed = Bfloat16Products.aligned(shared);
            call.parallel(
                (int) parts,
                0,
                (part, none) -> {
                  try (OneDnn dnn = OneDnn.take()) {
                    products.pack(dnn, tile.n(), tile.k(), b, part, parts, packed);
                  }
                });
            call.parallel(
                tiles,
                products.bytes(tile) + Bfloat16Products.ALIGNMENT,
                (index, memory) ->
                    multiply(
                        products,
                        index == tiles - 1 ? last : tile,
                        index * tile.rows(),
                        packed,
                        Bfloat16Products.aligned(memory)));
          });
    }

    private Bfloat16Products products(Tile last) {
      try (OneDnn dnn = OneDnn.take()) {
        return Bfloat16Products.of(dnn, List.of(tile, last));
      }
    }

    private void multiply(
        Bfloat16Products products, Tile some, long row, long packed, long memory) {
      long moved = Float.BYTES * row * tile.n();
      long first = a.address() + Float.BYTES * row * (a.transposed() ? 1 : a.stride());
      try (OneDnn dnn = OneDnn.take()) {
        products.multiply(
            dnn,
            some,
            new Matrix(first, a.stride(), a.transposed()),
            b,
            packed,
            addend == 0 ? 0 : addend + moved,
            result + moved,
            memory);
      }
    }
  }
}

package io.minimind.runtime;

import io.minimind.runtime.Bfloat16Products.Tile;
import io.minimind.runtime.GemmNode.Product;
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

  private final GemmNode node;

  Bfloat16GemmKernel(KernelNode node) {
    this.node = GemmNode.of(node);
  }

  @Override
  public void compute(KernelCall call) {
    Product product = node.product(call);
    long m = product.m();
    long n = product.n();
    long k = product.k();
    if (m == 0 || n == 0) {
      return;
    }
    if (k == 0) {
      if (product.adds()) {
        NativeFloats.move(product.addend().address(), product.result().address(), m * n);
      } else {
        NativeFloats.clear(product.result().address(), m * n);
      }
      return;
    }
    Tile tile = new Tile(rows(m, n * k), n, k, node.transposeA(), product.adds());
    new InTiles(call, product, tile).compute(node.threads());
  }

  /** How many rows a tile has. */
  private long rows(long m, long multiplicationsOfRow) {
    long fewest = (m + MOST_ROWS - 1) / MOST_ROWS;
    long worth = Math.min(node.threads(), m * multiplicationsOfRow / LEAST);
    long count = Math.max(fewest, Math.min(worth, m / UNIT));
    return Math.min(m, (m + count * UNIT - 1) / (count * UNIT) * UNIT);
  }

  /** One call. */
  private record InTiles(KernelCall call, Product product, Tile tile) {

    void compute(int threads) {
      long m = product.m();
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
                    products.pack(dnn, tile.n(), tile.k(), product.b(), part, parts, packed);
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
      long before = Float.BYTES * row * tile.n();
      try (OneDnn dnn = OneDnn.take()) {
        products.multiply(
            dnn,
            some,
            product.a().part(row, 0),
            product.b(),
            packed,
            product.adds() ? product.addend().address() + before : 0,
            product.result().address() + before,
            memory);
      }
    }
  }
}

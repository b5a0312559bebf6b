package io.minimind.runtime;

import io.minimind.runtime.OneDnn.Matrix;

/**
 * Products of bf16 on any processor: a product of two such numbers is exact in float32, so a
 * float32 product of rounded factors is theirs, but for the order in which it is added up.
 */
final class EmulatedBfloat16Products implements Bfloat16Products {

  /** Numbers that are worth another thread. */
  private static final long LEAST = 1 << 16;

  @Override
  public long packedBytes(long n, long k) {
    return Float.BYTES * n * k;
  }

  @Override
  public long parts(long n, long k) {
    return Math.max(1, n * k / LEAST);
  }

  @Override
  public void pack(OneDnn dnn, long n, long k, Matrix b, long part, long parts, long packed) {
    long from = Float.BYTES * (n * k * part / parts);
    long to = Float.BYTES * (n * k * (part + 1) / parts);
    Bfloat16.round(b.address() + from, packed + from, (to - from) / Float.BYTES);
  }

  @Override
  public long bytes(Tile tile) {
    return Float.BYTES * tile.rows() * tile.k();
  }

  @Override
  public void multiply(
      OneDnn dnn, Tile tile, Matrix a, Matrix b, long packed, long addend, long c, long memory) {
    long lines = tile.transposed() ? tile.k() : tile.rows();
    long line = tile.transposed() ? tile.rows() : tile.k();
    Matrix rounded = new Matrix(memory, line, tile.transposed());
    for (long i = 0; i < lines; i++) {
      Bfloat16.round(a.from(i).address(), rounded.from(i).address(), line);
    }
    if (tile.added()) {
      NativeFloats.move(addend, c, tile.rows() * tile.n());
    }
    dnn.product(
        tile.rows(),
        tile.n(),
        tile.k(),
        1,
        rounded,
        new Matrix(packed, b.stride(), b.transposed()),
        tile.added() ? 1 : 0,
        new Matrix(c, tile.n()));
  }
}

package io.minimind.runtime;

import io.minimind.runtime.OneDnn.Matrix;
import java.util.List;

/**
 * Products of float32 matrices whose factors are rounded to bf16 and whose sums are float32. The
 * second factor is packed once, by as many threads as there are; then threads multiply some rows of
 * the first one with all of it.
 */
interface Bfloat16Products {

  /**
   * What a thread multiplies at once.
   *
   * @param rows of the first factor, at least 1
   * @param n columns of the second factor, at least 1
   * @param k columns of the first and rows of the second factor, at least 1
   * @param transposed whether the first factor lies in memory by columns
   * @param added whether a matrix is added to the product
   */
  record Tile(long rows, long n, long k, boolean transposed, boolean added) {

    Tile withRows(long rows) {
      return new Tile(rows, n, k, transposed, added);
    }
  }

  /** What addresses of packed and converted numbers are multiples of. */
  long ALIGNMENT = 64;

  /** The first such address from another one on. */
  static long aligned(long address) {
    return (address + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /**
   * Those of this processor: with its instructions for bf16 where it has such and oneDNN a fast
   * product of these shapes, and else emulated.
   */
  static Bfloat16Products of(OneDnn dnn, List<Tile> tiles) {
    return NativeBfloat16Products.problem().isEmpty()
            && tiles.stream().allMatch(dnn.bfloat16()::multiplies)
        ? new NativeBfloat16Products()
        : new EmulatedBfloat16Products();
  }

  /** Bytes of a packed second factor. */
  long packedBytes(long n, long k);

  /** In how many parts a second factor can be packed at most. */
  long parts(long n, long k);

  /**
   * Packs a part of a second factor.
   *
   * @param b [k, n], all of it
   * @param packed where it is packed to, all of it; {@link #aligned}
   */
  void pack(OneDnn dnn, long n, long k, Matrix b, long part, long parts, long packed);

  /** Bytes that multiplying a tile works in. */
  long bytes(Tile tile);

  /**
   * {@code c = a · b}, or {@code c = a · b + addend}.
   *
   * @param a [rows, k]
   * @param b the second factor, before it was packed
   * @param packed where it was packed to
   * @param addend [rows, n] by rows without gaps; 0 if there is none
   * @param c as {@code addend}
   * @param memory to work in; {@link #aligned}
   */
  void multiply(
      OneDnn dnn, Tile tile, Matrix a, Matrix b, long packed, long addend, long c, long memory);
}

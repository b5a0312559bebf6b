package io.minimind.runtime;

import io.minimind.runtime.OneDnn.Matrix;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** Products of bf16 by the processor's instructions for them, AVX512_BF16 or AMX, with oneDNN. */
final class NativeBfloat16Products implements Bfloat16Products {

  /** Made when the first session needs it. */
  private static final class Problem {
    private static final Optional<String> FOUND = new NativeBfloat16Products().find();
  }

  /** Why they cannot be used, or nothing if they can. */
  static Optional<String> problem() {
    return Problem.FOUND;
  }

  @Override
  public long packedBytes(long n, long k) {
    return Bfloat16Primitives.packedBytes(n, k);
  }

  @Override
  public long parts(long n, long k) {
    return (n + Bfloat16Primitives.COLUMNS - 1) / Bfloat16Primitives.COLUMNS;
  }

  @Override
  public void pack(OneDnn dnn, long n, long k, Matrix b, long part, long parts, long packed) {
    long blocks = parts(n, k);
    long from = blocks * part / parts * Bfloat16Primitives.COLUMNS;
    long to = Math.min(n, blocks * (part + 1) / parts * Bfloat16Primitives.COLUMNS);
    dnn.bfloat16()
        .pack(k, to - from, b.part(0, from), packed + Bfloat16Primitives.packedBytes(from, k));
  }

  @Override
  public long bytes(Tile tile) {
    return Bfloat16Primitives.convertedBytes(tile);
  }

  @Override
  public void multiply(
      OneDnn dnn, Tile tile, Matrix a, Matrix b, long packed, long addend, long c, long memory) {
    dnn.bfloat16().convert(tile, a, memory);
    dnn.bfloat16().multiply(tile, memory, packed, addend, c);
  }

  /** Rows, columns and what is summed up; there must be products for the first. */
  private static final long[][] SAMPLES = {{16, 200, 96}, {1, 1, 1}, {3, 5, 7}, {40, 70, 33}};

  /** Multiplies small matrices of many shapes, and compares with what is emulated. */
  private Optional<String> find() {
    if (OneDnn.problem().isPresent()) {
      return OneDnn.problem();
    }
    String none = "oneDNN has no product of bf16 for " + OneDnn.instructions();
    try (OneDnn dnn = OneDnn.take()) {
      for (long[] sample : SAMPLES) {
        for (int variant = 0; variant < 8; variant++) {
          Tile tile =
              new Tile(sample[0], sample[1], sample[2], (variant & 1) != 0, (variant & 2) != 0);
          boolean multiplies = dnn.bfloat16().multiplies(tile);
          if (!multiplies && sample == SAMPLES[0]) {
            return Optional.of(none);
          }
          if (multiplies && !isRight(dnn, tile, (variant & 4) != 0)) {
            return Optional.of("oneDNN's product of bf16 was found to be wrong for " + tile);
          }
        }
      }
      return Optional.empty();
    } catch (RuntimeException e) {
      return Optional.of(none + ": " + e.getMessage());
    }
  }

  /** Whether a product of matrices that are made up is the emulated one. */
  boolean isRight(OneDnn dnn, Tile tile, boolean transposedB) {
    Matrix a = new Matrix(0, tile.transposed() ? tile.rows() : tile.k(), tile.transposed());
    Matrix b = new Matrix(0, transposedB ? tile.k() : tile.n(), transposedB);
    float[] expected = product(dnn, new EmulatedBfloat16Products(), tile, a, b);
    float[] found = product(dnn, this, tile, a, b);
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) < 1e-5 * tile.k())) {
        return false;
      }
    }
    return true;
  }

  private static float[] product(
      OneDnn dnn, Bfloat16Products products, Tile tile, Matrix a, Matrix b) {
    long results = tile.rows() * tile.n();
    try (FloatPointer first = numbers(tile.rows() * tile.k(), 1);
        FloatPointer second = numbers(tile.k() * tile.n(), 2);
        FloatPointer addend = numbers(results, 3);
        FloatPointer result = numbers(results, 4);
        BytePointer packed = new BytePointer(products.packedBytes(tile.n(), tile.k()) + ALIGNMENT);
        BytePointer memory = new BytePointer(products.bytes(tile) + ALIGNMENT)) {
      // What is read though nothing was written there is no number, and shows.
      Pointer.memset(packed, 0xff, packed.capacity());
      Pointer.memset(memory, 0xff, memory.capacity());
      Matrix ownA = new Matrix(first.address(), a.stride(), a.transposed());
      Matrix ownB = new Matrix(second.address(), b.stride(), b.transposed());
      long place = Bfloat16Products.aligned(packed.address());
      long parts = products.parts(tile.n(), tile.k());
      for (long part = 0; part < parts; part++) {
        products.pack(dnn, tile.n(), tile.k(), ownB, part, parts, place);
      }
      long added = tile.added() ? addend.address() : 0;
      products.multiply(
          dnn,
          tile,
          ownA,
          ownB,
          place,
          added,
          result.address(),
          Bfloat16Products.aligned(memory.address()));
      float[] found = new float[(int) results];
      result.get(found);
      return found;
    }
  }

  /** Numbers between -1 and 1 that have more bits than bf16. */
  private static FloatPointer numbers(long count, int seed) {
    float[] numbers = new float[(int) count];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) Math.sin(seed * (i + 1.0));
    }
    return new FloatPointer(numbers);
  }
}

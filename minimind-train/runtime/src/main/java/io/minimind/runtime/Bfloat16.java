package io.minimind.runtime;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Numbers in half the bytes: the upper halves of their float32 values, rounded to the nearest, and
 * of two that are as near to the even one.
 */
final class Bfloat16 {

  private static final int CHUNK = 4096;
  private static final int INFINITY = 0x7f80;
  private static final int MAGNITUDE = 0x7fff;
  private static final int QUIET = 0x40;

  private static final ThreadLocal<Bits> BITS = ThreadLocal.withInitial(Bits::new);

  private Bfloat16() {}

  /** Float32 numbers in native memory as integers, and some of them on the heap. */
  private static final class Bits extends IntPointer {
    private final int[] numbers = new int[CHUNK];

    private Bits() {
      super((Pointer) null);
    }

    private Bits at(long address) {
      this.address = address;
      return this;
    }
  }

  /**
   * Rounds numbers in native memory, which stay float32.
   *
   * @param to another place, or the same
   */
  static void round(long from, long to, long count) {
    Bits bits = BITS.get();
    for (long done = 0; done < count; done += CHUNK) {
      int some = (int) Math.min(CHUNK, count - done);
      bits.at(from + Float.BYTES * done).get(bits.numbers, 0, some);
      round(bits.numbers, some);
      bits.at(to + Float.BYTES * done).put(bits.numbers, 0, some);
    }
  }

  /** As {@link #of}, but without branches, so that compilers make vector instructions of it. */
  private static void round(int[] numbers, int count) {
    for (int i = 0; i < count; i++) {
      int bits = numbers[i];
      int isNaN = (INFINITY << 16) - (bits & 0x7fffffff) >> 31;
      int up = 0x7fff + (bits >>> 16 & 1) & ~isNaN;
      numbers[i] = (bits + up | isNaN & QUIET << 16) & 0xffff0000;
    }
  }

  /** The nearest, of two that are as near the even one. */
  static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | QUIET);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  static float toFloat(short value) {
    return Float.intBitsToFloat(value << 16);
  }

  /**
   * Rounds values.
   *
   * @param errors of each value, what an earlier rounding took away from it, which is added; then
   *     what this one takes away
   */
  static void encode(Workers workers, FloatBuffer values, float[] errors, ShortBuffer into) {
    inChunks(
        workers,
        values.capacity(),
        i -> {
          float value = values.get(i) + errors[i];
          short rounded = of(value);
          float error = value - toFloat(rounded);
          errors[i] = (rounded & MAGNITUDE) < INFINITY ? error : 0;
          into.put(i, rounded);
        });
  }

  static void decode(Workers workers, ShortBuffer from, FloatBuffer into) {
    inChunks(workers, into.capacity(), i -> into.put(i, toFloat(from.get(i))));
  }

  private static void inChunks(Workers workers, int length, IntConsumer each) {
    workers.run(
        (length + CHUNK - 1) / CHUNK,
        chunk -> {
          int end = Math.min(length, (chunk + 1) * CHUNK);
          for (int i = chunk * CHUNK; i < end; i++) {
            each.accept(i);
          }
        });
  }
}

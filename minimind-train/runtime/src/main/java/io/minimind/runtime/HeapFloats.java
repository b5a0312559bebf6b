package io.minimind.runtime;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Numbers on the heap. Kernels bring rows of their operands here, because compilers turn loops over
 * arrays into vector instructions, and loops over native memory not.
 */
final class HeapFloats {

  private static final ThreadLocal<float[][]> SCRATCH =
      ThreadLocal.withInitial(() -> new float[5][]);

  private static final ThreadLocal<Place> PLACE = ThreadLocal.withInitial(Place::new);

  private HeapFloats() {}

  private static final class Place extends FloatPointer {
    private Place() {
      super((Pointer) null);
    }

    private Place at(long address) {
      this.address = address;
      return this;
    }
  }

  /**
   * An array of the calling thread, with whatever was there before.
   *
   * @param which 0 to 4
   * @param length at least so many numbers
   */
  static float[] scratch(int which, int length) {
    float[][] arrays = SCRATCH.get();
    if (arrays[which] == null || arrays[which].length < length) {
      arrays[which] = new float[length];
    }
    return arrays[which];
  }

  /** Copies from native memory. */
  static void read(long address, float[] to, int count) {
    PLACE.get().at(address).get(to, 0, count);
  }

  /** Copies to native memory. */
  static void write(float[] from, long address, int count) {
    PLACE.get().at(address).put(from, 0, count);
  }

  static void multiply(float[] x, int count, float factor) {
    for (int i = 0; i < count; i++) {
      x[i] *= factor;
    }
  }

  static void add(float[] x, int count, float number) {
    for (int i = 0; i < count; i++) {
      x[i] += number;
    }
  }

  /** {@code to = to + x}, number by number. */
  static void add(float[] to, float[] x, int count) {
    for (int i = 0; i < count; i++) {
      to[i] += x[i];
    }
  }

  /** The sum, added up in eight parts. */
  static float sum(float[] x, int count) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    float sum4 = 0;
    float sum5 = 0;
    float sum6 = 0;
    float sum7 = 0;
    int i = 0;
    for (; i + 7 < count; i += 8) {
      sum0 += x[i];
      sum1 += x[i + 1];
      sum2 += x[i + 2];
      sum3 += x[i + 3];
      sum4 += x[i + 4];
      sum5 += x[i + 5];
      sum6 += x[i + 6];
      sum7 += x[i + 7];
    }
    for (; i < count; i++) {
      sum0 += x[i];
    }
    return ((sum0 + sum1) + (sum2 + sum3)) + ((sum4 + sum5) + (sum6 + sum7));
  }

  /** The largest number, or one that is not a number if there is such; of at least one. */
  static float largest(float[] x, int count) {
    float largest0 = x[0];
    float largest1 = x[0];
    float largest2 = x[0];
    float largest3 = x[0];
    int i = 0;
    for (; i + 3 < count; i += 4) {
      largest0 = Math.max(largest0, x[i]);
      largest1 = Math.max(largest1, x[i + 1]);
      largest2 = Math.max(largest2, x[i + 2]);
      largest3 = Math.max(largest3, x[i + 3]);
    }
    for (; i < count; i++) {
      largest0 = Math.max(largest0, x[i]);
    }
    return Math.max(Math.max(largest0, largest1), Math.max(largest2, largest3));
  }
}

package io.minimind.runtime;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;

/** The mean of gradients in the memory of the host, on all processors. */
final class Mean {

  /** Two of them fit into a first-level cache. */
  private static final int CHUNK = 4096;

  private static final ThreadLocal<float[][]> WORK =
      ThreadLocal.withInitial(() -> new float[2][CHUNK]);

  private Mean() {}

  /**
   * Overwrites values of the first with the mean of all, added in their order so that the sum does
   * not depend on which thread is first.
   *
   * @param length at most 2^28
   */
  static void intoFirst(List<FloatPointer> all, long start, int length) {
    List<FloatBuffer> values =
        all.stream().map(one -> one.getPointer(start).capacity(length).asBuffer()).toList();
    int chunks = (length + CHUNK - 1) / CHUNK;
    IntStream.range(0, chunks)
        .parallel()
        .forEach(i -> average(values, i * CHUNK, Math.min(CHUNK, length - i * CHUNK)));
  }

  /** Goes through arrays, on which the loop becomes vector instructions. */
  private static void average(List<FloatBuffer> all, int start, int length) {
    float[] sum = WORK.get()[0];
    float[] term = WORK.get()[1];
    all.get(0).get(start, sum, 0, length);
    for (FloatBuffer values : all.subList(1, all.size())) {
      values.get(start, term, 0, length);
      for (int i = 0; i < length; i++) {
        sum[i] += term[i];
      }
    }
    float count = all.size();
    for (int i = 0; i < length; i++) {
      sum[i] /= count;
    }
    all.get(0).put(start, sum, 0, length);
  }
}

package io.minimind.runtime;

import java.nio.FloatBuffer;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/** The mean of gradients in the memory of the host. */
final class Mean {

  /** Two of them fit into a first-level cache. */
  private static final int CHUNK = 4096;

  private Mean() {}

  /**
   * Overwrites values of the first with the mean of all.
   *
   * @param length at most 2^28
   */
  static void intoFirst(Workers workers, List<FloatPointer> all, long start, int length) {
    List<FloatBuffer> values =
        all.stream().map(one -> one.getPointer(start).capacity(length).asBuffer()).toList();
    write(workers, values, all.size(), values.get(0));
  }

  /**
   * Divides a sum, whose terms are added in their order so that it does not depend on which thread
   * is first.
   *
   * @param terms of equal length
   * @param result as long as these, and may be one of them
   */
  static void write(Workers workers, List<FloatBuffer> terms, float divisor, FloatBuffer result) {
    int length = result.capacity();
    int chunks = (length + CHUNK - 1) / CHUNK;
    workers.run(
        chunks, i -> write(terms, divisor, result, i * CHUNK, Math.min(CHUNK, length - i * CHUNK)));
  }

  /** Goes through arrays, on which the loop becomes vector instructions. */
  private static void write(
      List<FloatBuffer> terms, float divisor, FloatBuffer result, int start, int length) {
    float[] sum = HeapFloats.scratch(0, CHUNK);
    float[] term = HeapFloats.scratch(1, CHUNK);
    terms.get(0).get(start, sum, 0, length);
    for (FloatBuffer values : terms.subList(1, terms.size())) {
      values.get(start, term, 0, length);
      HeapFloats.add(sum, term, length);
    }
    for (int i = 0; i < length; i++) {
      sum[i] /= divisor;
    }
    result.put(start, sum, 0, length);
  }
}

package io.minimind.runtime;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Averages in the memory of the first replica, on all processors. Values are added in the order of
 * the replicas, so that the sum does not depend on who is first.
 */
final class HostAverager implements GradientAverager {

  /** Two of them fit into a first-level cache. */
  private static final int CHUNK = 4096;

  private static final ThreadLocal<float[][]> WORK =
      ThreadLocal.withInitial(() -> new float[2][CHUNK]);

  private record Chunk(int parameter, int start, int length) {}

  @Override
  public List<Gradient> mean(List<List<Gradient>> gradients) {
    List<Gradient> mean = gradients.get(0);
    if (gradients.size() > 1) {
      chunks(mean).parallelStream().forEach(chunk -> average(gradients, chunk));
    }
    return mean;
  }

  private static List<Chunk> chunks(List<Gradient> parameters) {
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      int size = parameters.get(i).values().limit();
      for (int start = 0; start < size; start += CHUNK) {
        chunks.add(new Chunk(i, start, Math.min(CHUNK, size - start)));
      }
    }
    return chunks;
  }

  /** Goes through arrays, on which the loop becomes vector instructions. */
  private static void average(List<List<Gradient>> gradients, Chunk chunk) {
    float[] sum = WORK.get()[0];
    float[] term = WORK.get()[1];
    FloatBuffer first = gradients.get(0).get(chunk.parameter).values();
    first.get(chunk.start, sum, 0, chunk.length);
    float count = gradients.size();
    for (int replica = 1; replica < gradients.size(); replica++) {
      gradients.get(replica).get(chunk.parameter).values().get(chunk.start, term, 0, chunk.length);
      for (int i = 0; i < chunk.length; i++) {
        sum[i] += term[i];
      }
    }
    for (int i = 0; i < chunk.length; i++) {
      sum[i] /= count;
    }
    first.put(chunk.start, sum, 0, chunk.length);
  }
}

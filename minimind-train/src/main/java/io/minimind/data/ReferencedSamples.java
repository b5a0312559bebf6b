package io.minimind.data;

import java.io.IOException;
import java.nio.FloatBuffer;

/**
 * Samples with the log-probability that a reference model gives each of them.
 *
 * @param values one for each sample, in their order
 */
public record ReferencedSamples(Samples all, FloatBuffer values) implements Samples {

  /**
   * @throws IllegalArgumentException if there is not one value for each sample
   */
  public ReferencedSamples {
    if (values.limit() != all.size()) {
      throw new IllegalArgumentException(
          "There are %d log-probabilities for %d samples.".formatted(values.limit(), all.size()));
    }
  }

  @Override
  public float referenceLogProbability(long index) {
    return values.get(Math.toIntExact(index));
  }

  @Override
  public long size() {
    return all.size();
  }

  @Override
  public int groupSize() {
    return all.groupSize();
  }

  @Override
  public int length(long index) {
    return all.length(index);
  }

  @Override
  public int longest() {
    return all.longest();
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) throws IOException {
    return all.read(index, ids, targets);
  }
}

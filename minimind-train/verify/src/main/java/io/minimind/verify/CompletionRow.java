package io.minimind.verify;

import io.minimind.artifact.BatchInput;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A left-padded prompt and its completion, of which the first tokens count: without the padding,
 * and without what follows.
 *
 * @param ids those of the prompt, then the tokens that count
 * @param tokens that count
 */
record CompletionRow(int[] ids, int tokens) {

  /**
   * @param outputIds the padded prompt with the completion
   * @param promptLength with the padding
   */
  static CompletionRow of(long[] outputIds, int promptLength, double[] mask) {
    int start = 0;
    while (outputIds[start] == 0) {
      start++;
    }
    int tokens = (int) IntStream.range(0, mask.length).filter(i -> mask[i] != 0).count();
    int[] ids =
        LongStream.of(outputIds)
            .skip(start)
            .limit(promptLength + tokens - start)
            .mapToInt(Math::toIntExact)
            .toArray();
    return new CompletionRow(ids, tokens);
  }

  Sample sample() {
    BitSet targets = new BitSet(ids.length);
    targets.set(ids.length - tokens, ids.length);
    return new Sample(ids, targets);
  }

  /** Values of the completion's tokens as those of all ids. */
  float[] column(double[] values) {
    float[] all = new float[ids.length];
    for (int i = 0; i < tokens; i++) {
      all[ids.length - tokens + i] = (float) values[i];
    }
    return all;
  }

  float[] column(float[] values) {
    return column(IntStream.range(0, tokens).mapToDouble(i -> values[i]).toArray());
  }

  /** The same value for each token of the completion. */
  float[] column(double value) {
    return column(IntStream.range(0, tokens).mapToDouble(i -> value).toArray());
  }

  /**
   * Adds the differences of a row of values, [rows · length], at the tokens of the completion.
   *
   * @param relative whether differences are divided by what is larger than 1
   */
  void compare(
      Worst worst,
      String place,
      double[] expected,
      float[] found,
      int row,
      int length,
      boolean relative) {
    int first = row * length + ids.length - tokens - 1;
    for (int i = 0; i < tokens; i++) {
      double difference = Math.abs(found[first + i] - expected[i]);
      double size = relative ? Math.max(1, Math.abs(expected[i])) : 1;
      worst.add("%s, row %d, token %d".formatted(place, row, i), difference / size);
    }
  }

  static Batch batch(List<Sample> samples, List<BatchInput> columns) throws IOException {
    return Batch.of(Samples.of(samples, 1, columns), LongStream.range(0, samples.size()).toArray());
  }
}

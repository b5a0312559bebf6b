package io.minimind.data;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * What the model reads and which of it the model has to predict, and what else an objective is to
 * know of it.
 *
 * @param ids the token ids; the input of training is all but the last, the labels all but the first
 * @param targets bit {@code i} says that predicting {@code ids[i]} counts in the loss; bit 0 is
 *     ignored, as nothing comes before it
 * @param columns values of batch inputs by their names: of an input of tokens as many for each id,
 *     one id after the other, else those of the sample
 */
public record Sample(int[] ids, BitSet targets, Map<String, float[]> columns) {

  public Sample {
    columns = Map.copyOf(columns);
  }

  /** A sample of ids and targets alone. */
  public Sample(int[] ids, BitSet targets) {
    this(ids, targets, Map.of());
  }

  /** A sample of which every token but the first is to be predicted. */
  public static Sample of(int[] ids) {
    BitSet targets = new BitSet(ids.length);
    targets.set(1, Math.max(1, ids.length));
    return new Sample(ids, targets);
  }

  /** This sample with the values of one more input. */
  public Sample with(String column, float... values) {
    Map<String, float[]> more = new HashMap<>(columns);
    more.put(column, values);
    return new Sample(ids, targets, more);
  }

  /** Number of tokens that count in the loss. */
  int targetCount() {
    return ids.length == 0 ? 0 : targets.get(1, ids.length).cardinality();
  }
}

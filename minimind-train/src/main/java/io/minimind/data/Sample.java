package io.minimind.data;

import java.util.BitSet;
import java.util.Optional;

/**
 * An encoded row: what the model reads and which of it the model has to predict.
 *
 * @param ids the token ids; the input of training is all but the last, the labels all but the first
 * @param targets bit {@code i} says that predicting {@code ids[i]} counts in the loss; bit 0 is
 *     ignored, as nothing comes before it
 * @param rejected of a preference pair, the sample that is compared with this one
 */
public record Sample(int[] ids, BitSet targets, Optional<Sample> rejected) {

  /** A sample that stands alone. */
  public Sample(int[] ids, BitSet targets) {
    this(ids, targets, Optional.empty());
  }

  /** This sample as the chosen one of a pair. */
  Sample withRejected(Sample other) {
    return new Sample(ids, targets, Optional.of(other));
  }

  /** A sample of which every token but the first is to be predicted. */
  public static Sample of(int[] ids) {
    BitSet targets = new BitSet(ids.length);
    targets.set(1, Math.max(1, ids.length));
    return new Sample(ids, targets);
  }

  /** A sample that teaches nothing; it is counted and left out. */
  public static Sample empty() {
    return new Sample(new int[0], new BitSet());
  }

  /** Number of tokens that count in the loss. */
  int targetCount() {
    return ids.length == 0 ? 0 : targets.get(1, ids.length).cardinality();
  }
}

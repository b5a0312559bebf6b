package io.minimind.infer;

import java.nio.FloatBuffer;
import java.util.BitSet;

/**
 * The tokens that may come next, with their logits and later their weights: probabilities up to a
 * common factor, the largest being 1. Each step narrows or reshapes them in place; equal values
 * rank by the smaller id. The arrays are reused from token to token.
 */
final class Candidates {
  /**
   * Biased and penalized logits stay within this, so that they and their differences are finite.
   */
  private static final float LARGEST = Float.MAX_VALUE / 4;

  private final int[] ids;
  private final float[] values;
  private final int tokens;
  private int size;

  /**
   * @param tokens how many of the vocabulary may come: the others are none that a tokenizer knows,
   *     and only fill up the matrices of a model
   */
  Candidates(int vocabularySize, int tokens) {
    ids = new int[vocabularySize];
    values = new float[vocabularySize];
    this.tokens = Math.min(tokens, vocabularySize);
  }

  int size() {
    return size;
  }

  int id(int index) {
    return ids[index];
  }

  /** Puts the share of each candidate among those left at its id; only after {@link #toWeights}. */
  void copyProbabilities(double[] target) {
    double total = total();
    for (int i = 0; i < size; i++) {
      target[ids[i]] = values[i] / total;
    }
  }

  /**
   * Takes the logits of the whole vocabulary, token i at index i.
   *
   * @throws IllegalStateException if the model computed something that is not a number
   */
  void reset(FloatBuffer logits) {
    logits.get(0, values);
    for (int i = 0; i < values.length; i++) {
      ids[i] = i;
      if (Float.isNaN(values[i]) || values[i] == Float.POSITIVE_INFINITY) {
        throw new IllegalStateException(
            "The model computed a logit of "
                + values[i]
                + " for token "
                + i
                + "; its weights are damaged or its training diverged, so use another checkpoint.");
      }
    }
    size = tokens;
  }

  /** Adds to the logit of a token; only before anything was narrowed. */
  void add(int id, double bias) {
    set(id, values[id] + bias);
  }

  /** Makes a token less likely; only before anything was narrowed. */
  void penalize(int id, double penalty) {
    set(id, values[id] > 0 ? values[id] / penalty : values[id] * penalty);
  }

  private void set(int id, double value) {
    // What the model itself rules out stays so.
    if (values[id] != Float.NEGATIVE_INFINITY) {
      values[id] = (float) Math.max(-LARGEST, Math.min(LARGEST, value));
    }
  }

  /** Keeps the tokens whose bits are set. */
  void keep(BitSet allowed) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (allowed.get(ids[i])) {
        ids[kept] = ids[i];
        values[kept++] = values[i];
      }
    }
    size = kept;
  }

  int likeliest() {
    int best = 0;
    for (int i = 1; i < size; i++) {
      if (precedes(i, best)) {
        best = i;
      }
    }
    checkPossible(values[best]);
    return ids[best];
  }

  void keepTopK(int k) {
    if (k >= size) {
      return;
    }
    heapify();
    int end = size;
    while (end > size - k) {
      moveLargestBehind(--end);
    }
    dropBefore(end);
  }

  /**
   * Turns logits into weights. Virtual machines may differ in the last bit of {@link Math#exp}, but
   * rounding to float hides that, so a seed draws the same everywhere; StrictMath would take three
   * times as long.
   */
  void toWeights(double temperature) {
    float largest = values[0];
    for (int i = 1; i < size; i++) {
      largest = Math.max(largest, values[i]);
    }
    checkPossible(largest);
    for (int i = 0; i < size; i++) {
      values[i] = (float) Math.exp(((double) values[i] - largest) / temperature);
    }
  }

  private static void checkPossible(float largest) {
    if (!Float.isFinite(largest)) {
      throw new IllegalStateException(
          "The model gives every token that may come next the logit "
              + largest
              + ", so none can be chosen; its weights are damaged, or the options allow only tokens"
              + " that it rules out.");
    }
  }

  /** Keeps the fewest likeliest candidates that hold the share p of the whole weight. */
  void keepTopP(double p) {
    double wanted = p * total();
    heapify();
    double kept = 0;
    int end = size;
    while (end > 0 && kept < wanted) {
      moveLargestBehind(--end);
      kept += values[end];
    }
    dropBefore(end);
  }

  /** Keeps the candidates with at least this fraction of the largest weight, which is 1. */
  void keepMinP(double fraction) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (values[i] >= fraction) {
        ids[kept] = ids[i];
        values[kept++] = values[i];
      }
    }
    size = kept;
  }

  /** The candidate in which the point {@code uniform} in [0, 1) of the whole weight falls. */
  int draw(double uniform) {
    double point = uniform * total();
    double passed = 0;
    int drawn = ids[0];
    for (int i = 0; i < size && passed <= point; i++) {
      if (values[i] > 0) {
        passed += values[i];
        drawn = ids[i];
      }
    }
    return drawn;
  }

  private double total() {
    double total = 0;
    for (int i = 0; i < size; i++) {
      total += values[i];
    }
    return total;
  }

  // A binary heap with the largest candidate at index 0: finding the k largest of n costs
  // n + k log n, where sorting would cost n log n.

  private void heapify() {
    for (int i = size / 2 - 1; i >= 0; i--) {
      siftDown(i, size);
    }
  }

  private void moveLargestBehind(int end) {
    swap(0, end);
    siftDown(0, end);
  }

  private void siftDown(int parent, int end) {
    int i = parent;
    while (true) {
      int child = 2 * i + 1;
      if (child + 1 < end && precedes(child + 1, child)) {
        child++;
      }
      if (child >= end || precedes(i, child)) {
        return;
      }
      swap(i, child);
      i = child;
    }
  }

  private boolean precedes(int i, int j) {
    return values[i] > values[j] || (values[i] == values[j] && ids[i] < ids[j]);
  }

  private void swap(int i, int j) {
    int id = ids[i];
    ids[i] = ids[j];
    ids[j] = id;
    float value = values[i];
    values[i] = values[j];
    values[j] = value;
  }

  private void dropBefore(int start) {
    size -= start;
    System.arraycopy(ids, start, ids, 0, size);
    System.arraycopy(values, start, values, 0, size);
  }
}

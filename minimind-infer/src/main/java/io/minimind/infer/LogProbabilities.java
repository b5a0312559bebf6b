package io.minimind.infer;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** Logarithms of the probabilities that logits stand for. */
final class LogProbabilities {
  private LogProbabilities() {}

  /**
   * The probability of a token and of the likeliest ones.
   *
   * @param tokens how many of the vocabulary may be among the likeliest
   * @param alternatives how many of these
   * @throws IllegalStateException if the model computed something that is not a number
   */
  static TokenLogProbability of(FloatBuffer logits, int id, int tokens, int alternatives) {
    double normalizer = logSumExp(logits);
    if (!Double.isFinite(normalizer)) {
      throw new IllegalStateException(
          "The model computed logits that are no finite numbers; its weights are damaged or its"
              + " training diverged, so use another checkpoint.");
    }
    List<TokenLogProbability.Alternative> likeliest = new ArrayList<>();
    for (int other : likeliest(logits.slice(0, Math.min(tokens, logits.limit())), alternatives)) {
      likeliest.add(new TokenLogProbability.Alternative(other, logits.get(other) - normalizer));
    }
    return new TokenLogProbability(id, logits.get(id) - normalizer, likeliest);
  }

  private static double logSumExp(FloatBuffer logits) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.limit(); i++) {
      largest = Math.max(largest, logits.get(i));
    }
    double sum = 0;
    for (int i = 0; i < logits.limit(); i++) {
      sum += Math.exp((double) logits.get(i) - largest);
    }
    return largest + Math.log(sum);
  }

  /** The ids of the largest logits, largest first; equal ones rank by the smaller id. */
  private static int[] likeliest(FloatBuffer logits, int count) {
    int[] ids = new int[Math.min(count, logits.limit())];
    for (int id = 0, size = 0; ids.length > 0 && id < logits.limit(); id++) {
      if (size == ids.length && logits.get(id) <= logits.get(ids[size - 1])) {
        continue;
      }
      int place = size < ids.length ? size++ : size - 1;
      for (; place > 0 && logits.get(id) > logits.get(ids[place - 1]); place--) {
        ids[place] = ids[place - 1];
      }
      ids[place] = id;
    }
    return ids;
  }
}

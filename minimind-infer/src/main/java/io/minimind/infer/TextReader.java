package io.minimind.infer;

import io.minimind.files.ArgumentException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Has a model read texts that are there: how likely it finds them, and what they mean to it. */
final class TextReader {
  private final Path folder;
  private final Decoder decoder;

  /**
   * @param folder for messages
   */
  TextReader(Path folder, Decoder decoder) {
    this.folder = folder;
    this.decoder = decoder;
  }

  /** As {@link LanguageModel#score}. */
  List<TokenLogProbability> score(int[] ids) {
    if (ids.length < 2) {
      throw new ArgumentException(
          "The text to score has "
              + ids.length
              + " tokens but must have at least 2, of which the first is not judged.");
    }
    List<TokenLogProbability> scores = new ArrayList<>();
    decoder.read(
        ids,
        (runtime, session) ->
            session.score(
                runtime,
                ids,
                (position, logits) -> {
                  if (position + 1 < ids.length) {
                    scores.add(LogProbabilities.of(logits, ids[position + 1], 0, 0));
                  }
                }));
    return scores;
  }

  /** As {@link LanguageModel#perplexity}. */
  double perplexity(int[] ids) {
    double mean =
        score(ids).stream()
            .mapToDouble(TokenLogProbability::logProbability)
            .average()
            .orElseThrow();
    return Math.exp(-mean);
  }

  /** As {@link LanguageModel#embed}. */
  float[] embed(int[] ids) {
    double[] sum = new double[decoder.hiddenSize()];
    decoder.read(
        ids,
        (runtime, session) ->
            session.read(
                runtime,
                ids,
                (position, state) -> {
                  for (int i = 0; i < sum.length; i++) {
                    sum[i] += state.get(i);
                  }
                }));
    double norm = Math.sqrt(Arrays.stream(sum).map(x -> x * x).sum());
    if (!Double.isFinite(norm) || norm == 0) {
      throw new IllegalStateException(
          "The model in %s computed hidden states of the length %s; its weights are damaged or its training diverged, so use another checkpoint."
              .formatted(folder, norm));
    }
    float[] vector = new float[sum.length];
    for (int i = 0; i < sum.length; i++) {
      vector[i] = (float) (sum[i] / norm);
    }
    return vector;
  }
}

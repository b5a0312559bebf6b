package io.minimind.examples;

import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.infer.TokenLogProbability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** How surprised a model is by texts. */
final class Perplexity {

  private Perplexity() {}

  /**
   * The exponential of the mean negative log-probability of a token.
   *
   * @param texts token ids; the first of each is given and not predicted
   */
  static double of(Path folder, int threads, List<int[]> texts) throws IOException {
    double sum = 0;
    long count = 0;
    try (LanguageModel model =
        LanguageModel.load(folder, LoadOptions.defaults().withThreads(threads))) {
      for (int[] text : texts) {
        int[] start = Arrays.copyOf(text, 1);
        GenerationOptions options =
            GenerationOptions.defaults()
                .withForcedTokens(Arrays.copyOfRange(text, 1, text.length))
                .withMaxNewTokens(text.length - 1)
                .withLogProbabilities(0);
        Generation generation = model.generate(start, options, piece -> true);
        for (TokenLogProbability token : generation.logProbabilities()) {
          sum -= token.logProbability();
          count++;
        }
      }
    }
    return Math.exp(sum / count);
  }
}

package io.minimind.examples;

import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.infer.TokenLogProbability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** How surprised a model is by texts. */
final class Perplexity {

  private Perplexity() {}

  /**
   * The exponential of the mean negative log-probability of a token, over the tokens of all texts.
   *
   * @param texts each of at least two tokens, of which the first is given
   */
  static double of(Path folder, int threads, List<String> texts) throws IOException {
    double sum = 0;
    long count = 0;
    try (LanguageModel model =
        LanguageModel.load(folder, LoadOptions.defaults().withThreads(threads))) {
      for (String text : texts) {
        for (TokenLogProbability token : model.score(text)) {
          sum -= token.logProbability();
          count++;
        }
      }
    }
    return Math.exp(sum / count);
  }
}

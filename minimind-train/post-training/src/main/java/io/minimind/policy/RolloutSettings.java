package io.minimind.policy;

import io.minimind.files.ArgumentException;

/**
 * How a model answers prompts while it learns. What is drawn at a temperature of 1 from the whole
 * vocabulary has the probability that the loss takes it to have.
 *
 * @param maxPromptTokens tokens that are kept of a prompt, its last ones, at least 1
 * @param maxNewTokens of an answer, at least 1; the context may leave fewer
 * @param temperature above 0
 * @param topK how many of the likeliest tokens may be drawn, 0 for all
 * @param topP the share of the probability that may be drawn, above 0 and at most 1
 * @param thinking share of the prompts in which a template that can have the model think before it
 *     answers does so, in [0, 1]
 * @param turns that it may take, at least 1: with more than one, what it calls is answered by the
 *     tools of {@link io.minimind.agent.ToolBox#mock}, and it goes on
 */
public record RolloutSettings(
    int maxPromptTokens,
    int maxNewTokens,
    double temperature,
    int topK,
    double topP,
    double thinking,
    int turns) {

  public static final RolloutSettings DEFAULT = new RolloutSettings(768, 1024, 1, 0, 1, 0, 1);

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public RolloutSettings {
    require(maxPromptTokens >= 1, "tokens of a prompt must be at least 1", maxPromptTokens);
    require(maxNewTokens >= 1, "tokens of an answer must be at least 1", maxNewTokens);
    require(
        temperature > 0 && temperature < Double.POSITIVE_INFINITY,
        "temperature must be a number above 0",
        temperature);
    require(topK >= 0, "top-k must be at least 0", topK);
    require(topP > 0 && topP <= 1, "top-p must be above 0 and at most 1", topP);
    require(thinking >= 0 && thinking <= 1, "share of thinking must be between 0 and 1", thinking);
    require(turns >= 1, "turns must be at least 1", turns);
  }

  private static void require(boolean holds, String sentence, Object value) {
    if (!holds) {
      throw new ArgumentException("The " + sentence + ", but is " + value + ".");
    }
  }
}

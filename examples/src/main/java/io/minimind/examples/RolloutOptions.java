package io.minimind.examples;

import io.minimind.policy.RolloutSettings;
import picocli.CommandLine.Option;

/** How a model answers prompts while it learns from its own answers. */
final class RolloutOptions {

  @Option(
      names = "--max-prompt",
      paramLabel = "TOKENS",
      order = 20,
      description = "Tokens of a prompt; longer ones lose their beginning.")
  private int maxPrompt;

  @Option(
      names = "--max-new",
      paramLabel = "TOKENS",
      order = 21,
      description = "Tokens of an answer.")
  private int maxNew;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      order = 22,
      description =
          "Of the draws; with 1 and no limits the loss knows their probabilities exactly.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      order = 23,
      description = "Draws one of the K likeliest tokens; 0 for any.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      order = 24,
      description = "Draws one of the likeliest tokens that have this probability together.")
  private double topP;

  @Option(
      names = "--thinking",
      paramLabel = "SHARE",
      order = 25,
      description = "Share of the prompts at which the chat template has the model think.")
  private double thinking;

  /** With the defaults of a stage. */
  RolloutOptions(RolloutSettings defaults) {
    maxPrompt = defaults.maxPromptTokens();
    maxNew = defaults.maxNewTokens();
    temperature = defaults.temperature();
    topK = defaults.topK();
    topP = defaults.topP();
    thinking = defaults.thinking();
  }

  /**
   * @param turns that the model may take
   * @throws IllegalArgumentException if a value is out of its range
   */
  RolloutSettings settings(int turns) {
    return new RolloutSettings(maxPrompt, maxNew, temperature, topK, topP, thinking, turns);
  }
}

package io.minimind.infer;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a chat goes on.
 *
 * @param systemPrompt stands before the conversation and is never dropped (default: none)
 * @param tokenBudget the most tokens that conversation and next answer may have together, at least
 *     2 (default: the model's context)
 * @param generation how answers are chosen (default: the defaults)
 */
public record ChatOptions(
    Optional<String> systemPrompt, OptionalInt tokenBudget, GenerationOptions generation) {

  /**
   * @throws IllegalArgumentException if the budget is too small
   */
  public ChatOptions {
    Objects.requireNonNull(systemPrompt, "systemPrompt");
    Objects.requireNonNull(tokenBudget, "tokenBudget");
    Objects.requireNonNull(generation, "generation");
    if (tokenBudget.isPresent() && tokenBudget.getAsInt() < 2) {
      throw new IllegalArgumentException(
          "The token budget of the chat is "
              + tokenBudget.getAsInt()
              + " but must be at least 2, for one token of a question and one of the answer.");
    }
  }

  public static ChatOptions defaults() {
    return new ChatOptions(Optional.empty(), OptionalInt.empty(), GenerationOptions.defaults());
  }

  public ChatOptions withSystemPrompt(String value) {
    Objects.requireNonNull(value, "systemPrompt");
    return new ChatOptions(Optional.of(value), tokenBudget, generation);
  }

  public ChatOptions withTokenBudget(int value) {
    return new ChatOptions(systemPrompt, OptionalInt.of(value), generation);
  }

  public ChatOptions withGeneration(GenerationOptions value) {
    return new ChatOptions(systemPrompt, tokenBudget, value);
  }
}

package io.minimind.infer;

import java.time.Duration;

/**
 * What a model wrote.
 *
 * @param text the decoded new tokens, without the prompt
 * @param tokenIds the new tokens, without the prompt and without the end-of-text token
 * @param finishReason why the generation ended
 * @param promptTokens number of tokens in the prompt
 * @param promptTime time until the first new token
 * @param decodeTime time from the first new token to the end
 */
public record Generation(
    String text,
    int[] tokenIds,
    FinishReason finishReason,
    int promptTokens,
    Duration promptTime,
    Duration decodeTime) {

  public Generation {
    tokenIds = tokenIds.clone();
  }

  @Override
  public int[] tokenIds() {
    return tokenIds.clone();
  }
}

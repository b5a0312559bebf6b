package io.minimind.infer;

import java.time.Duration;
import java.util.List;

/**
 * What a model wrote.
 *
 * @param text the decoded new tokens, without the prompt, and cut before a stop string
 * @param tokenIds the new tokens, without the prompt and without the end-of-text token; those of a
 *     stop string are among them
 * @param finishReason why the generation ended
 * @param promptTokens number of tokens in the prompt
 * @param reusedTokens how many of the prompt's tokens a chat had computed in an earlier turn
 * @param promptTime time until the first new token
 * @param decodeTime time from the first new token to the end
 * @param logProbabilities how likely the model found each of the new tokens; empty unless the
 *     options asked for it
 */
public record Generation(
    String text,
    int[] tokenIds,
    FinishReason finishReason,
    int promptTokens,
    int reusedTokens,
    Duration promptTime,
    Duration decodeTime,
    List<TokenLogProbability> logProbabilities) {

  public Generation {
    tokenIds = tokenIds.clone();
    logProbabilities = List.copyOf(logProbabilities);
  }

  @Override
  public int[] tokenIds() {
    return tokenIds.clone();
  }
}

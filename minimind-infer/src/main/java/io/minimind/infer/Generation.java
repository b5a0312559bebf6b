package io.minimind.infer;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a model wrote.
 *
 * @param text the decoded new tokens, without the prompt, and cut before a stop string
 * @param tokenIds the new tokens, without the prompt and without the end-of-text token; those of a
 *     stop string are among them
 * @param finishReason why the generation ended
 * @param promptTokens number of tokens in the prompt
 * @param reusedTokens how many of the prompt's tokens a chat had computed in an earlier turn
 * @param promptTime time from the first request for a piece until the first new token, without that
 *     of waiting for a place in a batch
 * @param decodeTime time from the first new token to the end; for an answer that is computed alone
 *     this includes the time that its reader takes between pieces
 * @param logProbabilities how likely the model found each of the new tokens; empty unless the
 *     options asked for it
 * @param endToken the token that ended the text, if one did
 * @param ending that token and how likely the model found it; empty unless the options asked for it
 */
public record Generation(
    String text,
    int[] tokenIds,
    FinishReason finishReason,
    int promptTokens,
    int reusedTokens,
    Duration promptTime,
    Duration decodeTime,
    List<TokenLogProbability> logProbabilities,
    OptionalInt endToken,
    Optional<TokenLogProbability> ending) {

  public Generation {
    tokenIds = tokenIds.clone();
    logProbabilities = List.copyOf(logProbabilities);
  }

  /** What is written where nobody wanted the first token. */
  static Generation unbegun(int promptTokens) {
    return new Generation(
        "",
        new int[0],
        FinishReason.CANCELLED,
        promptTokens,
        0,
        Duration.ZERO,
        Duration.ZERO,
        List.of(),
        OptionalInt.empty(),
        Optional.empty());
  }

  @Override
  public int[] tokenIds() {
    return tokenIds.clone();
  }

  private List<Object> contents() {
    return List.of(
        text,
        Arrays.stream(tokenIds).boxed().toList(),
        finishReason,
        promptTokens,
        reusedTokens,
        promptTime,
        decodeTime,
        logProbabilities,
        endToken,
        ending);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Generation generation && contents().equals(generation.contents());
  }

  @Override
  public int hashCode() {
    return contents().hashCode();
  }

  @Override
  public String toString() {
    return "Generation[text=%s, tokenIds=%s, finishReason=%s, promptTokens=%d, reusedTokens=%d, promptTime=%s, decodeTime=%s, logProbabilities=%s, endToken=%s, ending=%s]"
        .formatted(contents().toArray());
  }
}

package io.minimind.infer;

import java.util.List;

/**
 * How likely the model found a token in its place.
 *
 * @param tokenId the token
 * @param logProbability natural logarithm of its probability by the model alone, before penalties,
 *     temperature and all else that the options change; at most 0
 * @param alternatives the likeliest tokens of that place, the likeliest first, as many as were
 *     asked for; the token itself may be among them
 */
public record TokenLogProbability(
    int tokenId, double logProbability, List<Alternative> alternatives) {

  public TokenLogProbability {
    alternatives = List.copyOf(alternatives);
  }

  /** Another token and how likely it was. */
  public record Alternative(int tokenId, double logProbability) {}
}

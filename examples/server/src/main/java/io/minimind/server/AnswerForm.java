package io.minimind.server;

import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.TokenLogProbability;
import java.util.List;

/**
 * How the answers to a request are written. Its methods are called one at a time, though not always
 * on the same thread.
 */
interface AnswerForm {
  /**
   * A part of an answer came.
   *
   * @param choice which of several answers
   * @param logProbabilities of the tokens that came with it
   */
  default void part(int choice, ReplyPart part, List<TokenLogProbability> logProbabilities) {}

  /** One of several answers is complete. */
  default void end(int choice, Reply reply) {}

  /** All answers are complete. */
  void complete(List<Reply> replies);

  /** There will be no more answers. */
  void fail(ApiError error);
}

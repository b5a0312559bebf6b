package io.minimind.infer.constraint;

import io.minimind.tokenizer.Tokenizer;
import java.util.BitSet;

/**
 * A rule that an answer must follow, such as a grammar, after its forced tokens if there are any.
 * It is immutable and may serve several generations at the same time; each of them starts its own
 * {@link State}.
 *
 * <p>It is asked before each token. Where it leaves nothing but the end, the generation ends. An
 * answer's state is used by one thread at a time; of a model with a batch size above 1, or in
 * {@code generateAll}, that is after the first token the thread that all answers share, which a
 * slow constraint holds up.
 */
public interface TokenConstraint {

  /**
   * Begins an answer.
   *
   * @param budget the most tokens that may follow; the one that ends a text is not counted
   * @throws IllegalArgumentException if that is not enough; the message is a sentence that says so
   */
  State start(int budget);

  /**
   * Refuses models for which it was not made.
   *
   * @param tokenizer of the model that is to keep to it
   * @throws IllegalArgumentException if it knows other tokens; the message is a sentence that says
   *     so
   */
  default void check(Tokenizer tokenizer) {}

  /** What one answer may go on with. */
  interface State {
    /**
     * Marks the tokens that may come next. This is called for every token, so it should allocate
     * nothing.
     *
     * @param allowed bits of the vocabulary, all clear; tokens that end a text are of no account
     *     here, {@link #mayEnd} decides about them
     */
    void allow(BitSet allowed);

    /** Whether the answer may end here. */
    boolean mayEnd();

    /** Takes the token that was chosen, one of the allowed ones. */
    void advance(int tokenId);
  }
}

package io.minimind.policy;

import java.io.IOException;
import java.util.List;

/**
 * Says what an answer is worth. {@link #named} has some; a run is resumed by the name of a reward's
 * class, so one of your own is a public class with a constructor without parameters.
 *
 * <p>A number that is none, or not finite, ends the run with a sentence; so does an exception. The
 * run goes on from where it was. Where all answers to a prompt are worth the same, they teach
 * nothing but to stay near the reference.
 */
@FunctionalInterface
public interface Reward extends AutoCloseable {

  /**
   * The reward of a name, under which a run keeps it: {@code number}, {@code 0.5*thinking}, {@code
   * regex:[0-9]+}. A name may have something after a colon that the reward takes, and a weight
   * before a star.
   *
   * <ul>
   *   <li>{@code number}: 1 if the last number of what is said is the expected one, else 0
   *   <li>{@code text}: 1 if what is said is the expected text, white space at its ends aside
   *   <li>{@code regex}: 1 if what is said, white space at its ends aside, matches the pattern as a
   *       whole, the expected one unless it is given
   *   <li>{@code json-schema}: 1 if what is said is JSON that meets the expected schema
   *   <li>{@code ended}: 1 if the model ended its answer, 0 if it ran into its limit
   *   <li>{@code length}: 0.5 for 20 to 800 characters, else -0.5
   *   <li>{@code thinking}: if thinking ends, 1 if it has 20 to 300 characters, else -0.5; and 0.25
   *       if it ends once, -0.25 if several times
   *   <li>{@code repetition}: minus the share of runs of three words that came before, at most 0.5;
   *       of Chinese, of three characters
   *   <li>{@code rules}: length, thinking and repetition together
   *   <li>{@code minimind-rules}: the same, but as MiniMind has it, where Chinese is not seen to
   *       repeat itself
   *   <li>{@code agent}: calls of the tools that were offered, as many as there are facts expected,
   *       and those facts in what is said at last, -3 to 3; without calls, length, thinking and
   *       repetition
   *   <li>{@code solved}: 1 if all calls and facts are as {@code agent} wants them and the tools
   *       gave those facts, else 0; nothing for form, or for a guess behind a call
   *   <li>{@code model:FOLDER}: what a {@link io.minimind.preference.RewardModel} says, with the
   *       tokens of the model that learns
   *   <li>{@code judge:URL MODEL}: what a model on an OpenAI-compatible server says, 0 to 1
   *   <li>the name of a class: a {@link Reward} of your own
   * </ul>
   *
   * @throws IllegalArgumentException if there is no such reward, or it cannot take what it is given
   */
  static Reward named(String name) {
    return Rewards.named(name);
  }

  /**
   * The worth of an answer; only differences between answers to the same prompt count.
   *
   * @throws IOException if it cannot be told
   */
  double of(Answer answer) throws IOException;

  /** The worth of all answers of a step, for rewards that are faster together. */
  default double[] of(List<Answer> answers) throws IOException {
    double[] worth = new double[answers.size()];
    for (int i = 0; i < worth.length; i++) {
      worth[i] = of(answers.get(i));
    }
    return worth;
  }

  /** Lets go of what it holds; it may be asked again. */
  @Override
  default void close() {}
}

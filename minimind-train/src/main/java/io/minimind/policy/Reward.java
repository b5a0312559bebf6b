package io.minimind.policy;

import java.io.IOException;
import java.util.List;

/**
 * Says what an answer is worth. {@link Rewards} has some; a run is resumed by the name of a
 * reward's class, so one of your own is a public class with a constructor without parameters.
 *
 * <p>A number that is none, or not finite, ends the run with a sentence; so does an exception. The
 * run goes on from where it was. Where all answers to a prompt are worth the same, they teach
 * nothing but to stay near the reference.
 */
@FunctionalInterface
public interface Reward extends AutoCloseable {

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

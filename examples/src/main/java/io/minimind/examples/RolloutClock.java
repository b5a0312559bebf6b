package io.minimind.examples;

import io.minimind.policy.Answer;
import io.minimind.policy.Reward;
import java.util.List;

/** A reward that remembers when it was asked, which is when all answers of a step are written. */
public final class RolloutClock implements Reward {

  private static List<Answer> answers = List.of();
  private static long askedAt;

  @Override
  public double of(Answer answer) {
    return answer.tokens();
  }

  @Override
  public double[] of(List<Answer> answers) {
    askedAt = System.nanoTime();
    RolloutClock.answers = answers;
    return answers.stream().mapToDouble(this::of).toArray();
  }

  static List<Answer> answers() {
    return answers;
  }

  static long askedAt() {
    return askedAt;
  }
}

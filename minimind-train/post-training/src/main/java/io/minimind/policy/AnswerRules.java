package io.minimind.policy;

import io.minimind.agent.PythonText;

/**
 * The rules by which MiniMind rewards the form of an answer: its length, its thinking, and that it
 * does not repeat itself.
 */
record AnswerRules(Repetition repetition) {

  private static final int SHORTEST = 20;
  private static final int LONGEST = 800;
  private static final int LONGEST_THINKING = 300;

  double of(Answer answer) {
    return length(answer) + thinking(answer.text()) - repetition.of(answer.said());
  }

  /** 0.5 for a text of 20 to 800 characters, else -0.5. */
  static double length(Answer answer) {
    return within(answer.text(), SHORTEST, LONGEST) ? 0.5 : -0.5;
  }

  /**
   * Nothing if no thinking ends. Else 1 if it has 20 to 300 characters and -0.5 if not, and 0.25 if
   * it ends once and -0.25 if several times.
   */
  static double thinking(String text) {
    int end = text.indexOf(Answer.END_OF_THINKING);
    if (end < 0) {
      return 0;
    }
    return (within(text.substring(0, end), SHORTEST, LONGEST_THINKING) ? 1 : -0.5)
        + (Answer.said(text).contains(Answer.END_OF_THINKING) ? -0.25 : 0.25);
  }

  private static boolean within(String text, int least, int most) {
    int length = PythonText.length(PythonText.strip(text));
    return least <= length && length <= most;
  }
}

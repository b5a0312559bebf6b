package io.minimind.policy;

import io.minimind.files.InputException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** A reward of which what it throws or gives wrongly is a sentence. */
record Checked(String name, Reward reward) implements Reward {

  private static final int SHOWN_CHARACTERS = 60;

  @Override
  public double of(Answer answer) throws IOException {
    return of(List.of(answer))[0];
  }

  @Override
  public double[] of(List<Answer> answers) throws IOException {
    double[] worth;
    try {
      worth = reward.of(answers);
    } catch (IOException | RuntimeException e) {
      String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new InputException(
          "The reward %s failed: %s%s Mend it, and go on with the run."
              .formatted(name, reason, reason.endsWith(".") ? "" : "."),
          e);
    }
    if (worth == null || worth.length != answers.size()) {
      throw new InputException(
          "The reward %s gave %s numbers for %d answers."
              .formatted(name, worth == null ? "no" : worth.length, answers.size()));
    }
    for (int i = 0; i < worth.length; i++) {
      if (!Double.isFinite(worth[i])) {
        throw new InputException(
            String.format(
                Locale.ROOT,
                "The reward %s gave %f for the answer \"%s\", where a finite number was expected.",
                name,
                worth[i],
                shortened(answers.get(i).text())));
      }
    }
    return worth;
  }

  @Override
  public void close() {
    reward.close();
  }

  private static String shortened(String text) {
    String line = text.replace('\n', ' ');
    return line.length() > SHOWN_CHARACTERS ? line.substring(0, SHOWN_CHARACTERS) + "…" : line;
  }
}

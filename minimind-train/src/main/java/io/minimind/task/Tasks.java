package io.minimind.task;

import io.minimind.data.ChatEncoder;

/** The tasks of this package. */
public final class Tasks {

  private Tasks() {}

  /** A model learns to continue texts. */
  public static Task pretraining() {
    return new Pretraining();
  }

  /**
   * A pretrained model learns to answer.
   *
   * @param maxLength tokens to which conversations are cut, at least 2
   * @param loss which answers count
   */
  public static Task fineTuning(int maxLength, ChatEncoder.Loss loss) {
    return new FineTuning(maxLength, loss);
  }
}

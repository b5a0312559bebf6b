package io.minimind.task;

import io.minimind.data.ChatEncoder;
import io.minimind.data.Variation;

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
  public static FineTuning fineTuning(int maxLength, ChatEncoder.Loss loss) {
    return fineTuning(maxLength, loss, Variation.NONE);
  }

  /**
   * The same from conversations that vary.
   *
   * @param variation what is drawn for each of them
   */
  public static FineTuning fineTuning(int maxLength, ChatEncoder.Loss loss, Variation variation) {
    return new FineTuning(maxLength, loss, variation, false);
  }
}

package io.minimind.examples;

import io.minimind.files.ArgumentException;

/** What the numbers of options may be. */
final class Numbers {

  private Numbers() {}

  /**
   * @throws ArgumentException if the number is less
   */
  static void atLeast(int least, String option, long value) {
    if (value < least) {
      throw new ArgumentException(
          "%s must be at least %d, but is %d.".formatted(option, least, value));
    }
  }

  /**
   * @throws ArgumentException if the number is none of these
   */
  static void between(int least, int most, String option, long value) {
    if (value < least || value > most) {
      throw new ArgumentException(
          "%s must be between %d and %d, but is %d.".formatted(option, least, most, value));
    }
  }
}

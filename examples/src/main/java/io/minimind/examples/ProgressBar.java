package io.minimind.examples;

import java.util.Locale;

/** How much of a task is done, for a {@link io.minimind.examples.ProgressLine}. */
final class ProgressBar {

  private static final int WIDTH = 30;

  private ProgressBar() {}

  /** A bar of fixed width with the percentage behind it; of nothing, all is done. */
  static String of(long done, long total) {
    double share = total == 0 ? 1 : Math.min(1, (double) done / total);
    int filled = (int) (share * WIDTH);
    return String.format(
        Locale.ROOT, "[%s%s] %3.0f%%", "#".repeat(filled), ".".repeat(WIDTH - filled), 100 * share);
  }
}

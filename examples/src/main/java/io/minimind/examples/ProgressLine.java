package io.minimind.examples;

import java.io.PrintStream;

/**
 * A line at the bottom of a terminal that is written again and again; nothing where there is no
 * terminal.
 */
final class ProgressLine {

  private static final long REFRESH_NANOS = 200_000_000;

  private final PrintStream out;
  private final boolean terminal;
  private boolean shown;
  private long lastNanos = System.nanoTime() - REFRESH_NANOS;

  /**
   * @param terminal whether {@code out} can go back to the start of a line
   */
  ProgressLine(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** On standard error, if the process has a terminal. */
  static ProgressLine onStandardError() {
    return new ProgressLine(System.err, System.console() != null);
  }

  /** Shows a text in the place of the one before, at most five times a second. */
  void show(String text) {
    long now = System.nanoTime();
    if (terminal && now - lastNanos >= REFRESH_NANOS) {
      lastNanos = now;
      shown = true;
      out.print("\r\u001b[K" + text);
      out.flush();
    }
  }

  /** Clears the line, before something else is printed. */
  void clear() {
    if (shown) {
      shown = false;
      out.print("\r\u001b[K");
      out.flush();
    }
  }
}

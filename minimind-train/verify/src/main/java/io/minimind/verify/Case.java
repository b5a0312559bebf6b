package io.minimind.verify;

import java.util.Locale;

/** What became of a reference case; as a string, a line for people. */
public sealed interface Case {

  String name();

  /**
   * A case that was recomputed.
   *
   * @param difference the worst difference from the reference, or how many of the parts differ
   * @param limit the largest difference allowed
   * @param where the part that has the worst difference
   */
  record Compared(String name, double difference, double limit, String where) implements Case {

    public boolean ok() {
      return difference <= limit;
    }

    @Override
    public String toString() {
      String verdict = ok() ? "ok" : "FAILED, worst at " + where;
      return "%-40s %9s  limit %7s  %s".formatted(name, number(difference), number(limit), verdict);
    }

    private static String number(double value) {
      String format = value == Math.rint(value) ? "%.0f" : "%.2e";
      return String.format(Locale.ROOT, format, value);
    }
  }

  /** A case that was left out. */
  record Skipped(String name, String reason) implements Case {

    @Override
    public String toString() {
      return "%-40s %s".formatted(name, "skipped: " + reason);
    }
  }
}

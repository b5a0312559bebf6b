package io.minimind.data;

/**
 * A row of a corpus that gives no sample.
 *
 * @param number as in {@link Row}
 * @param line as in {@link Row}
 * @param reason a sentence about the row, which begins in the middle: {@code it has 2 cells …}
 */
record SkippedRow(long number, long line, String reason) {

  static SkippedRow of(Row row, String reason) {
    return new SkippedRow(row.number(), row.line(), reason);
  }

  /** A line of text. */
  @Override
  public String toString() {
    return "row %d%s: %s".formatted(number, place(), reason.replaceAll("\\s+", " "));
  }

  /** The line in words, if there is one. */
  String place() {
    return line == 0 ? "" : " (line " + line + ")";
  }
}

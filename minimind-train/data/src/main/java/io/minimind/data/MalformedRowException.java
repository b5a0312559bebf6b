package io.minimind.data;

import io.minimind.files.InputException;

/** One row cannot be used, but those after it can. */
public final class MalformedRowException extends InputException {
  private static final long serialVersionUID = 1;

  private final transient SkippedRow row;

  /**
   * @param source the name of the rows
   * @param reason a sentence about the row, which begins in the middle: {@code it has 2 cells …}
   */
  public MalformedRowException(String source, Row row, String reason) {
    this(source, SkippedRow.of(row, reason));
  }

  MalformedRowException(String source, SkippedRow row) {
    super(
        "Row %d of %s%s cannot be used: %s"
            .formatted(row.number(), source, row.place(), row.reason()));
    this.row = row;
  }

  SkippedRow row() {
    return row;
  }
}

package io.minimind.data;

import io.minimind.files.InputException;

/** One row cannot be used, but those after it can. */
public final class MalformedRowException extends InputException {
  private static final long serialVersionUID = 1;

  private final transient SkippedRow row;

  /**
   * @param source the name of the rows
   */
  public MalformedRowException(String source, SkippedRow row) {
    super(
        "Row %d of %s%s cannot be used: %s"
            .formatted(row.number(), source, row.place(), row.reason()));
    this.row = row;
  }

  public SkippedRow row() {
    return row;
  }
}

package io.minimind.data;

import java.io.IOException;
import java.nio.file.Path;

/** One row cannot be used, but those after it can. */
public final class MalformedRowException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient SkippedRow row;

  public MalformedRowException(Path file, SkippedRow row) {
    super(
        "Row %d of %s (line %d) cannot be used: %s"
            .formatted(row.number(), file, row.line(), row.reason()));
    this.row = row;
  }

  public SkippedRow row() {
    return row;
  }
}

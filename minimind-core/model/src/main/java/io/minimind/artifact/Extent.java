package io.minimind.artifact;

/** What there is one of: a value for each of these, or a mean over all of them. */
public enum Extent {
  /** A position of a row; a mean is over those that count in the loss. */
  TOKEN,
  /** A row of a batch, which is a sample. */
  ROW,
  /** Rows that belong together, such as the two answers of a preference pair. */
  GROUP
}

package io.minimind.infer;

/** A text has more tokens than there may be. */
public final class ContextLengthException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  ContextLengthException(String message) {
    super(message);
  }
}

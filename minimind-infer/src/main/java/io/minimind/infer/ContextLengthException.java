package io.minimind.infer;

import io.minimind.files.Mistake;

/** A text has more tokens than there may be. */
public final class ContextLengthException extends IllegalArgumentException implements Mistake {
  private static final long serialVersionUID = 1;

  ContextLengthException(String message) {
    super(message);
  }
}

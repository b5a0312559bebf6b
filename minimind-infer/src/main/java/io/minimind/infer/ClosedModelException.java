package io.minimind.infer;

import java.nio.file.Path;

/** A model was used after it was closed; what is running then ends as cancelled. */
final class ClosedModelException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  ClosedModelException(Path folder) {
    super("The model in " + folder + " is closed.");
  }
}

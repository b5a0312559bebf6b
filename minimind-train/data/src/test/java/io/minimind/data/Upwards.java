package io.minimind.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Files of the checkout, and the reference numbers that may lie beside it. */
final class Upwards {

  private Upwards() {}

  /** A file or folder by its path from this folder or one above it. */
  static Optional<Path> find(String relative) {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.exists(at.resolve(relative))) {
        return Optional.of(at.resolve(relative));
      }
    }
    return Optional.empty();
  }
}

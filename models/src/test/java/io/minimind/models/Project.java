package io.minimind.models;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where this project lies. */
final class Project {

  static final Path ROOT = root();

  private Project() {}

  private static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("minimind-infer/pom.xml"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}

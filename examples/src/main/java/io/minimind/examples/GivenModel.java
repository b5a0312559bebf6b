package io.minimind.examples;

import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model as a command line names it: by its folder, or by its name on the class path. */
final class GivenModel {

  private GivenModel() {}

  /** What the model is called. */
  static String name(String given) {
    return Path.of(given).toAbsolutePath().normalize().getFileName().toString();
  }

  /**
   * @throws IOException if there is no such model, or a file of it is missing or broken
   */
  static LanguageModel load(String given, LoadOptions options) throws IOException {
    if (!given.matches("[\\w.-]+") || Files.exists(Path.of(given))) {
      return LanguageModel.load(Path.of(given), options);
    }
    try {
      return LanguageModel.fromClasspath(given, options);
    } catch (FileNotFoundException e) {
      throw new FileNotFoundException("There is no folder %s. %s".formatted(given, e.getMessage()));
    }
  }
}

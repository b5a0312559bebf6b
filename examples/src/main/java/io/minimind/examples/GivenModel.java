package io.minimind.examples;

import io.minimind.files.Checksums;
import io.minimind.files.InputException;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
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
    boolean packaged = given.matches("[\\w.-]+") && !Files.exists(Path.of(given));
    if (!packaged) {
      return LanguageModel.load(Path.of(given), options);
    }
    ClassLoader loader = GivenModel.class.getClassLoader();
    if (loader.getResource("minimind/models/" + given + "/" + Checksums.INDEX) == null) {
      throw new InputException(
          "There is no folder %s here, and no model of that name on the class path."
              .formatted(given));
    }
    return LanguageModel.fromClasspath(given, options);
  }
}

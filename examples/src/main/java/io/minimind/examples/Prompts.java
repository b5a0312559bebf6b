package io.minimind.examples;

import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Texts for a model to continue. */
final class Prompts {

  private Prompts() {}

  /**
   * The lines of a file that are not blank.
   *
   * @throws IOException if the file is missing, is not UTF-8 or has no such line; the message is
   *     one sentence
   */
  static List<String> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new InputException("There is no file " + file + ": --prompts takes a text file.");
    }
    try {
      List<String> texts = Files.readAllLines(file).stream().filter(t -> !t.isBlank()).toList();
      if (texts.isEmpty()) {
        throw new InputException(file + " holds no prompts: expected one in a line.");
      }
      return texts;
    } catch (CharacterCodingException e) {
      throw new InputException(file + " is not valid UTF-8: save it as UTF-8.", e);
    }
  }
}

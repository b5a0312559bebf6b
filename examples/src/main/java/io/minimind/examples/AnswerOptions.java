package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option that says how much of a prompt with its answer is read. */
final class AnswerOptions {

  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      order = 30,
      description =
          "Tokens of a prompt with its answer; prompts lose their beginning, answers their end."
              + " 512 unless given, or the model's own length if that is less.")
  private Integer maxLength;

  /**
   * @param from the folder of the model
   * @throws IllegalArgumentException if the model cannot read as much, or it is too little
   */
  int maxLength(ModelConfig model, Path from) {
    int length = maxLength == null ? Math.min(512, model.maxLength()) : maxLength;
    if (length < 4 || length > model.maxLength()) {
      throw new ArgumentException(
          "--max-length must be between 4 and %d, the length of the model in %s, but is %d."
              .formatted(model.maxLength(), from, length));
    }
    return length;
  }
}

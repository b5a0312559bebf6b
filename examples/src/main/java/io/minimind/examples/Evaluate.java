package io.minimind.examples;

import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Groups the evaluations, one for each stage of training. */
@Command(
    name = "eval",
    description = "Shows what a model has learnt.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      EvaluatePretrained.class,
      EvaluateChat.class,
      EvaluateChoices.class,
      EvaluateQuestions.class,
      EvaluateTools.class,
      CommandLine.HelpCommand.class
    })
public final class Evaluate {

  /** The line with the size of a model that the original prints. */
  static String parameters(Path model) throws IOException {
    double parameters = ModelConfig.read(model.resolve("config.json")).parameterCount();
    return String.format(
        Locale.ROOT, "模型参数: %.6f 百万 = %.9f B (Billion)", parameters / 1e6, parameters / 1e9);
  }

  /** A model with damaged or diverged weights loads, and fails when it computes. */
  static IOException unusable(Path model, IllegalStateException e) {
    return new InputException(
        "The model in %s cannot be used: %s".formatted(model, e.getMessage()), e);
  }
}

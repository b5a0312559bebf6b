package io.minimind.train;

import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * Lets the model write after each checkpoint: on the console, and in full in {@code samples.txt}.
 */
public final class SampleTexts implements TrainingListener {

  private static final int SHOWN = 100;

  private final Path model;
  private final Path file;
  private final List<String> prompts;
  private final UnaryOperator<String> form;
  private final GenerationOptions options;
  private final PrintStream out;
  private final BooleanSupplier interrupted;

  /**
   * @param model a folder that holds the weights of the checkpoint before this listener is told
   * @param prompts texts to continue, or questions
   * @param form what the model reads for a prompt
   * @param interrupted asked before the model writes: a process that is ending has no time for it
   */
  public SampleTexts(
      Path model,
      Path file,
      List<String> prompts,
      UnaryOperator<String> form,
      GenerationOptions options,
      PrintStream out,
      BooleanSupplier interrupted) {
    this.model = model;
    this.file = file;
    this.prompts = List.copyOf(prompts);
    this.form = form;
    this.options = options;
    this.out = out;
    this.interrupted = interrupted;
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) throws IOException {
    if (interrupted.getAsBoolean()) {
      return;
    }
    StringBuilder report = new StringBuilder("After " + state.update() + " updates\n");
    try (LanguageModel language = LanguageModel.load(model)) {
      for (String prompt : prompts) {
        String text = continuation(language, prompt);
        report.append(prompt).append('|').append(text).append('\n');
        String line = (prompt + "|" + text).replace('\n', ' ');
        out.println("  " + (line.length() > SHOWN ? line.substring(0, SHOWN) + "…" : line));
      }
    }
    Files.writeString(
        file, report.append('\n'), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** A prompt that the model cannot take, or a model that cannot write, is no reason to stop. */
  private String continuation(LanguageModel language, String prompt) {
    try {
      return language.generate(form.apply(prompt), options).text();
    } catch (IllegalArgumentException | IllegalStateException e) {
      return "(" + e.getMessage() + ")";
    }
  }
}

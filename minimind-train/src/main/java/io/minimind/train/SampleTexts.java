package io.minimind.train;

import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** Lets the model write after each checkpoint, and keeps what it writes in {@code samples.txt}. */
final class SampleTexts implements TrainingListener {

  /** Gives the model with its present weights. */
  @FunctionalInterface
  interface Present {
    LanguageModel model() throws IOException;
  }

  private final RunFolder run;
  private final Present present;
  private final List<String> prompts;
  private final TrainingListener told;
  private final BooleanSupplier interrupted;
  private final GenerationOptions options;

  /**
   * @param prompts texts to continue, or questions
   * @param told is told of what the model writes
   * @param interrupted asked before the model writes: a process that is ending has no time for it
   */
  SampleTexts(
      RunFolder run,
      Present present,
      List<String> prompts,
      TrainingListener told,
      BooleanSupplier interrupted) {
    this.run = run;
    this.present = present;
    this.prompts = List.copyOf(prompts);
    this.told = told;
    this.interrupted = interrupted;
    options =
        GenerationOptions.defaults()
            .withTopK(8)
            .withMaxNewTokens(100)
            .withSeed(run.settings().training().seed());
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) throws IOException {
    if (interrupted.getAsBoolean() || prompts.isEmpty()) {
      return;
    }
    UnaryOperator<String> form = run.settings().task().promptForm(run.path());
    List<Sample> samples = new ArrayList<>();
    LanguageModel language = present.model();
    for (String prompt : prompts) {
      samples.add(new Sample(prompt, continuation(language, form, prompt)));
    }
    StringBuilder report = new StringBuilder("After " + state.update() + " updates\n");
    samples.forEach(
        sample -> report.append(sample.prompt()).append('|').append(sample.text()).append('\n'));
    Files.writeString(
        run.samples(), report.append('\n'), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    told.sampled(state, samples);
  }

  /** A prompt that the model cannot take, or a model that cannot write, is no reason to stop. */
  private String continuation(LanguageModel language, UnaryOperator<String> form, String prompt) {
    try {
      return language.generate(form.apply(prompt), options).text();
    } catch (IllegalArgumentException | IllegalStateException e) {
      return "(" + e.getMessage() + ")";
    }
  }
}

package io.minimind.examples;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.Batch;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.policy.Answer;
import io.minimind.policy.RolloutSettings;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource.Batches;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Where the time of steps goes in which a model writes and learns from what it wrote. */
final class RolloutSpeed {

  private final ModelInTraining model;
  private final Batches batches;
  private final LanguageModel alone;
  private final ChatTemplate template;
  private final RolloutSettings settings;
  private final Part writtenAlone = new Part();
  private final Part written = new Part();
  private final Part judged = new Part();
  private final Part learnt = new Part();

  /** What one of the things that are done has taken. */
  private static final class Part {
    private double seconds;
    private long tokens;

    void add(long from, long to, long count) {
      seconds += (to - from) / 1e9;
      tokens += count;
    }

    double rate() {
      return tokens / seconds;
    }
  }

  /**
   * @param batches with the reward {@link RolloutClock}
   * @param alone the same model, not in training
   */
  RolloutSpeed(
      ModelInTraining model,
      Batches batches,
      LanguageModel alone,
      ChatTemplate template,
      RolloutSettings settings) {
    this.model = model;
    this.batches = batches;
    this.alone = alone;
    this.template = template;
    this.settings = settings;
  }

  /** A step, and the same prompts once more by the model that is not in training. */
  void step(boolean counts) throws IOException {
    long start = System.nanoTime();
    long ready;
    long end;
    try (Batch batch = batches.next()) {
      ready = System.nanoTime();
      model.resetGradients();
      model.lastTrainStep(List.of(batch), 1, 1);
      model.optimizerStep(1e-7f); // Both are to write answers of the same lengths.
      end = System.nanoTime();
    }
    List<Answer> answers = RolloutClock.answers();
    long aloneStart = System.nanoTime();
    long aloneTokens = writeAlone(answers);
    long aloneEnd = System.nanoTime();
    if (counts) {
      long tokens = answers.stream().mapToLong(Answer::tokens).sum();
      written.add(start, RolloutClock.askedAt(), tokens);
      judged.add(RolloutClock.askedAt(), ready, tokens);
      learnt.add(ready, end, tokens);
      writtenAlone.add(aloneStart, aloneEnd, aloneTokens);
    }
  }

  private long writeAlone(List<Answer> answers) {
    Map<List<Message>, int[]> encoded = new HashMap<>();
    List<int[]> prompts =
        answers.stream()
            .map(answer -> encoded.computeIfAbsent(answer.prompt(), this::encoded))
            .toList();
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxNewTokens(settings.maxNewTokens())
            .withTemperature(settings.temperature())
            .withTopK(settings.topK())
            .withTopP(settings.topP());
    long tokens = 0;
    for (Generation generation : alone.generateAll(prompts, i -> options.withSeed(i))) {
      tokens += generation.tokenIds().length;
      tokens += generation.finishReason() == FinishReason.END_OF_TEXT ? 1 : 0;
    }
    return tokens;
  }

  private int[] encoded(List<Message> prompt) {
    TemplateOptions options = TemplateOptions.defaults().withAddGenerationPrompt(true);
    return alone.tokenizer().encode(template.render(prompt, options));
  }

  @Override
  public String toString() {
    double step = written.seconds + judged.seconds + learnt.seconds;
    double writing = Math.min(written.seconds, written.tokens / writtenAlone.rate());
    return String.format(
        Locale.ROOT,
        "writing alone        %9.0f tokens/s%n"
            + "writing in training  %9.0f tokens/s, %.2f of that%n"
            + "of a step's time: writing %.1f %%, learning %.1f %%, rewards and reference %.1f %%,"
            + " rest %.1f %%",
        writtenAlone.rate(),
        written.rate(),
        written.rate() / writtenAlone.rate(),
        100 * writing / step,
        100 * learnt.seconds / step,
        100 * judged.seconds / step,
        100 * (written.seconds - writing) / step);
  }
}

package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.policy.ToolCases;
import io.minimind.policy.ToolCases.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lets a model use tools, and scores what it does. */
@Command(
    name = "tools",
    description = {
      "Asks a model eight questions for which it needs tools, or those of a file, answers its"
          + " calls, and scores it.",
      "A case is solved if the right tools were called with the arguments that they need, no more"
          + " of them than that, and what they gave is in the answer."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class EvaluateTools implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of the model, such as the --out of a training run.")
  private Path model = Path.of("out", "agent");

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Other questions, as agent learns from them.")
  private Path data;

  @Option(
      names = "--think",
      description = "Has the model think before it answers, where its chat template knows how.")
  private boolean think;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Of the draws; with 0 the likeliest token is taken each time.")
  private double temperature;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Longest turn; the model's context may end it earlier.")
  private int maxNewTokens = 512;

  public static void main(String[] args) {
    MiniMind.run(new EvaluateTools(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(1, "--max-new-tokens", maxNewTokens);
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new ArgumentException(
          "--temperature must be a number of at least 0, but is " + temperature + ".");
    }
    ToolCases cases = data == null ? ToolCases.eight() : ToolCases.read(data, model);
    System.out.println(Evaluate.parameters(model));
    List<Result> results =
        asked(cases, model, LoadOptions.defaults(), maxNewTokens, think, temperature);
    for (Result result : results) {
      System.out.println("[Q]: " + result.question());
      result.turns().forEach(turn -> System.out.println("[A]: " + turn.strip()));
      System.out.printf(
          Locale.ROOT,
          "%s, reward %.2f%n%n",
          result.solved() ? "solved" : "not solved",
          result.reward());
    }
    System.out.printf(
        Locale.ROOT,
        "%d of %d solved, mean reward %.2f%n",
        solved(results),
        results.size(),
        results.stream().mapToDouble(Result::reward).average().orElseThrow());
    return 0;
  }

  /** What a model does with questions for tools; {@link ToolCases#run} says what the rest is. */
  static List<Result> asked(
      ToolCases cases,
      Path model,
      LoadOptions options,
      int maxNewTokens,
      boolean thinking,
      double temperature)
      throws IOException {
    try (LanguageModel language =
        LanguageModel.load(model, options.withBatchSize(cases.batchSize()))) {
      return cases.run(language, model, maxNewTokens, thinking, temperature);
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(model, e);
    }
  }

  static long solved(List<Result> results) {
    return results.stream().filter(Result::solved).count();
  }
}

package io.minimind.examples;

import io.minimind.data.Rows;
import io.minimind.distillation.TeacherAnswers;
import io.minimind.distillation.TeacherAnswers.Result;
import io.minimind.infer.GenerationOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lets a model answer a corpus of questions, for another one to learn from. */
@Command(
    name = "answer",
    description = {
      "Writes what a model answers to the conversations of a file, as a file for sft: learning from"
          + " it is distillation without a look into the teacher.",
      "Answers that do not end are left out. Stopped at any moment, the same command goes on."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true,
    footer = {
      "",
      "Example:",
      "  minimind answer --model out/large --data questions.jsonl --to answers.jsonl",
      "  minimind sft --data answers.jsonl --from out/small --loss all-turns"
    })
public final class Answer implements Callable<Integer> {

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "Folder of the model that answers.")
  private Path model;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE",
      description =
          "What to answer: conversations, as for sft, whose last answer gives way; or rows with a"
              + " column 'prompt'.")
  private Path data;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "FILE",
      description = "The .jsonl file; until it is complete, .partial is behind its name.")
  private Path to;

  @Option(names = "--temperature", paramLabel = "T", description = "0 takes the likeliest token.")
  private double temperature = 0.7;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Likeliest tokens to draw from; 0: all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draws from the likeliest tokens whose probabilities reach this sum.")
  private double topP = 1;

  @Option(names = "--max-new-tokens", paramLabel = "N", description = "Longest answer.")
  private int maxNewTokens = 512;

  @Option(names = "--seed", paramLabel = "N", description = "Of the draws.")
  private long seed = 1337;

  @Option(names = "--thinking", description = "A model that can thinks before it answers.")
  private boolean thinking;

  @Option(
      names = "--batch-size",
      paramLabel = "ANSWERS",
      description = "Answers that are written at the same time.")
  private int batchSize = 8;

  private final ProgressLine progress = ProgressLine.onStandardError();

  public static void main(String[] args) {
    MiniMind.run(new Answer(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(1, "--batch-size", batchSize);
    GenerationOptions generation =
        GenerationOptions.defaults()
            .withTemperature(temperature)
            .withTopK(topK)
            .withTopP(topP)
            .withMaxNewTokens(maxNewTokens)
            .withSeed(seed);
    TeacherAnswers answers = new TeacherAnswers(generation, thinking, batchSize);
    Rows rows = Rows.of(data);
    return Interruptible.run(
        interrupted -> {
          long size = rows.size();
          Result result =
              answers.write(
                  model,
                  rows,
                  to,
                  interrupted,
                  (read, written) ->
                      progress.show(
                          String.format(
                              Locale.ROOT,
                              "%s  %,d answers",
                              ProgressBar.of(read, size),
                              written)));
          progress.clear();
          report(result);
          return 0;
        });
  }

  private void report(Result result) {
    System.out.printf(
        Locale.ROOT,
        "%s: %,d answers%s%n",
        to,
        result.answers(),
        result.complete() ? "" : " so far; the same command goes on");
    result
        .leftOut()
        .forEach((reason, count) -> System.out.printf(Locale.ROOT, "  %s: %,d%n", reason, count));
  }
}

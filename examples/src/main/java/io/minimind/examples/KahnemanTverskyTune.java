package io.minimind.examples;

import io.minimind.model.ModelConfig;
import io.minimind.preference.KahnemanTverskyObjective;
import io.minimind.preference.KahnemanTverskyOptimization;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Kahneman-Tversky optimization: a model learns from single answers that are good or bad. */
@Command(
    name = "kto",
    description = {
      "Teaches a model from answers that people found good or bad, each by itself (Kahneman-Tversky"
          + " optimization), or goes on with a run that was interrupted.",
      "What the model to start from thinks of the answers, and of the same prompts with answers to"
          + " others, is computed once and kept with the encoded corpus."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind kto --data judged.jsonl --from out/sft --validation-fraction 0.1"
    })
public final class KahnemanTverskyTune extends Tune {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description =
          "Answers: JSON, JSON lines or CSV with prompt, completion and label (true or false). A"
              + " prompt and an answer are texts or lists of messages.")
  private Path data;

  @Option(
      names = "--pairs",
      order = 3,
      description =
          "The rows of --data are pairs, as for dpo: the chosen answer is good, the rejected one"
              + " bad.")
  private boolean pairs;

  @Option(
      names = "--beta",
      paramLabel = "BETA",
      order = 4,
      description = "How strongly the model is held to where it started; less lets it go further.")
  private double beta = KahnemanTverskyObjective.DEFAULT.beta();

  @Option(
      names = "--good-weight",
      paramLabel = "WEIGHT",
      order = 5,
      description = "How much good answers count.")
  private double goodWeight = 1;

  @Option(
      names = "--bad-weight",
      paramLabel = "WEIGHT",
      order = 6,
      description =
          "How much bad answers count. Where there are more of one kind, the other should count the"
              + " more.")
  private double badWeight = 1;

  @Mixin private AnswerOptions answers;

  KahnemanTverskyTune() {
    super(Path.of("out", "kto"), new TrainingOptions(4e-5f, 3, 1));
  }

  public static void main(String[] args) {
    MiniMind.run(new KahnemanTverskyTune(), args);
  }

  @Override
  Path data() {
    return data;
  }

  @Override
  Task task(Path from, ModelConfig model) throws IOException {
    KahnemanTverskyObjective objective =
        new KahnemanTverskyObjective(beta, goodWeight, badWeight, pairs ? 2 : 1);
    return KahnemanTverskyOptimization.of(from, answers.maxLength(model, from), objective);
  }
}

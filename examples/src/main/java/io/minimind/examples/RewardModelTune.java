package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.Variation;
import io.minimind.model.ModelConfig;
import io.minimind.preference.RewardModeling;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Reward modelling: a model that answers becomes one that says what answers are worth. */
@Command(
    name = "reward",
    description = {
      "Makes of a model one that says what answers are worth, from pairs of which one was"
          + " preferred, or goes on with a run that was interrupted.",
      "Learn from it with --reward model:DIR in grpo and ppo, by a model with the same tokens."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind reward --data preferences.jsonl --from out/sft --validation-fraction 0.1",
      "  minimind grpo --data prompts.jsonl --from out/sft --reward model:out/reward"
    })
public final class RewardModelTune extends Tune {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description = "Preferences, as for dpo: prompt, chosen and rejected, or two conversations.")
  private Path data;

  @Option(
      names = "--loss",
      paramLabel = "TURNS",
      order = 3,
      description =
          "last-answer: a prompt has two answers. all-turns: chosen and rejected are conversations,"
              + " which are cut at their end.")
  private Loss loss = Loss.LAST_ANSWER;

  @Mixin private AnswerOptions answers;

  RewardModelTune() {
    super(Path.of("out", "reward"), new TrainingOptions(4e-5f, 3, 1));
  }

  public static void main(String[] args) {
    MiniMind.run(new RewardModelTune(), args);
  }

  @Override
  Path data() {
    return data;
  }

  @Override
  Task task(Path from, ModelConfig model) throws IOException {
    Optional<Variation> conversations =
        loss == Loss.ALL_TURNS
            ? Optional.of(new Variation(0, 0, List.of(), seed()))
            : Optional.empty();
    return new RewardModeling(answers.maxLength(model, from), conversations);
  }

  @Override
  String advice(String model) {
    return "Learn from it: ./minimind grpo --reward model:" + model;
  }
}

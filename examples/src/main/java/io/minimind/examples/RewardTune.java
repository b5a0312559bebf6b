package io.minimind.examples;

import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the stages have in common in which a model learns from what its own answers are worth. */
abstract class RewardTune extends Tune {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description =
          "Prompts: JSON lines or CSV with prompt, question, messages or conversations, and gt or"
              + " answer for rewards that verify answers.")
  private Path data;

  @Option(
      names = "--reward",
      paramLabel = "NAME",
      order = 3,
      description = {
        "What answers are worth, several times for their sum: number, text, regex[:PATTERN],"
            + " json-schema, ended, length, thinking, repetition, rules, agent, solved, model:DIR,"
            + " judge:'URL MODEL', or a class. A weight goes before: 0.5*thinking."
      })
  private List<String> rewards;

  @Mixin private RolloutOptions rollouts;

  /**
   * @param out default of --out
   * @param trainingOptions with the stage's defaults
   * @param reward default of --reward
   * @param rollouts with the stage's defaults
   */
  RewardTune(Path out, TrainingOptions trainingOptions, String reward, RolloutOptions rollouts) {
    super(out, trainingOptions);
    rewards = List.of(reward);
    this.rollouts = rollouts;
  }

  @Override
  Path data() {
    return data;
  }

  /**
   * What a new run does, according to the other options.
   *
   * @throws IllegalArgumentException if one of them is out of its range
   */
  abstract Task task(Path from, List<String> rewards, RolloutOptions rollouts) throws IOException;

  @Override
  final Task task(Path from, ModelConfig model) throws IOException {
    return task(from, rewards, rollouts);
  }
}

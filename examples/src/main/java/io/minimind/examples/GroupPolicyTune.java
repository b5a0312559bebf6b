package io.minimind.examples;

import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.RolloutSettings;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Group relative policy optimization: a model learns from what its own answers are worth. */
@Command(
    name = GroupPolicyOptimization.NAME,
    description = {
      "Teaches a model by rewards (group relative policy optimization), or goes on with a run that"
          + " was interrupted.",
      "Its rows are prompts. The model answers each several times, and learns from how much better"
          + " some answers are than the others. Some of what it writes is kept in rollouts.jsonl."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind grpo --data sums.jsonl --from out/sft --reward number --max-new 64"
    })
public class GroupPolicyTune extends RewardTune {

  @Option(names = "--answers", paramLabel = "N", order = 4, description = "Answers to each prompt.")
  private int answers = 6;

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      order = 5,
      defaultValue = "cispo",
      description = "Loss: cispo, grpo or ppo.")
  private PolicyObjective.Variant variant;

  @Option(
      names = "--beta",
      paramLabel = "BETA",
      order = 6,
      description =
          "How strongly the model is held to where it started; with 0 there is no second model.")
  private double beta = PolicyObjective.DEFAULT.beta();

  @Option(
      names = "--turns",
      paramLabel = "N",
      order = 7,
      description = {
        "Turns that an answer may take: with more than one, calls of the tools that a row offers"
            + " are answered by the six mock tools, and the model goes on. Goes with"
            + " --reward=agent."
      })
  private int turns;

  GroupPolicyTune() {
    this(Path.of("out", "grpo"), "rules", RolloutSettings.DEFAULT);
  }

  /** With other defaults. */
  GroupPolicyTune(Path out, String reward, RolloutSettings rollouts) {
    super(out, new TrainingOptions(1e-5f, 1, 2), reward, new RolloutOptions(rollouts));
    turns = rollouts.turns();
  }

  public static void main(String[] args) {
    MiniMind.run(new GroupPolicyTune(), args);
  }

  @Override
  final Task task(Path from, List<String> rewards, RolloutOptions rollouts) throws IOException {
    PolicyObjective objective =
        new PolicyObjective(
            variant,
            PolicyObjective.DEFAULT.clip(),
            PolicyObjective.DEFAULT.mostWeight(),
            beta,
            true);
    return GroupPolicyOptimization.of(from, answers, rollouts.settings(turns), objective, rewards);
  }
}

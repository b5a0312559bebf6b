package io.minimind.examples;

import io.minimind.policy.ActorCriticObjective;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.policy.ProximalPolicyOptimization;
import io.minimind.policy.ProximalPolicyOptimization.Steps;
import io.minimind.policy.RolloutSettings;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Proximal policy optimization: a model learns from rewards beside a critic that expects them. */
@Command(
    name = "ppo",
    description = {
      "Teaches a model by rewards, with a critic (proximal policy optimization), or goes on with a"
          + " run that was interrupted.",
      "Its rows are prompts. The model answers a batch of them, a critic that begins as the same"
          + " model learns what answers are worth, and the model learns from what was better than"
          + " expected, in several passes."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind ppo --data sums.jsonl --from out/sft --reward number --max-new 64"
    })
public final class ProximalPolicyTune extends RewardTune {

  @Option(
      names = "--beta",
      paramLabel = "BETA",
      order = 4,
      description =
          "How strongly the model is held to where it started; with 0 there is no second model.")
  private double beta = ActorCriticObjective.DEFAULT.policy().beta();

  @Option(
      names = "--passes",
      paramLabel = "N",
      order = 5,
      description = "Passes over the same answers.")
  private int passes = Steps.DEFAULT.passes();

  @Option(
      names = "--mini-batch",
      paramLabel = "ROWS",
      order = 6,
      description = "Answers of a micro-batch; --batch-size is that of prompts answered together.")
  private int miniBatch = Steps.DEFAULT.miniBatch();

  @Option(
      names = "--critic-rate",
      paramLabel = "TIMES",
      order = 7,
      description = "The critic's learning rate over that of the model.")
  private double criticRate = ActorCriticObjective.DEFAULT.criticRate();

  ProximalPolicyTune() {
    super(
        Path.of("out", "ppo"),
        new TrainingOptions(1e-5f, 1, 4),
        "rules",
        new RolloutOptions(RolloutSettings.DEFAULT));
  }

  public static void main(String[] args) {
    MiniMind.run(new ProximalPolicyTune(), args);
  }

  @Override
  Task task(Path from, List<String> rewards, RolloutOptions rollouts) throws IOException {
    ActorCriticObjective usual = ActorCriticObjective.DEFAULT;
    PolicyObjective policy =
        new PolicyObjective(
            Variant.PPO, usual.policy().clip(), usual.policy().mostWeight(), beta, false);
    ActorCriticObjective objective =
        new ActorCriticObjective(policy, usual.valueWeight(), usual.valueClip(), criticRate);
    Steps steps =
        new Steps(
            passes,
            miniBatch,
            Steps.DEFAULT.gamma(),
            Steps.DEFAULT.lambda(),
            Steps.DEFAULT.mostMoved());
    return ProximalPolicyOptimization.of(from, rollouts.settings(1), steps, objective, rewards);
  }
}

package io.minimind.examples;

import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.train.RunBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Group relative policy optimization: a model learns from what its own answers are worth. */
@Command(
    name = "grpo",
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
public final class GroupPolicyTune extends TrainingCommand {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description =
          "Prompts: JSON lines or CSV with prompt, question, messages or conversations, and gt or"
              + " answer for rewards that verify answers.")
  private Path data;

  @Option(
      names = "--from",
      paramLabel = "DIR",
      order = 2,
      description = "Folder of the model to start from, such as the --out of sft.")
  private Path from;

  @Option(
      names = "--reward",
      paramLabel = "NAME",
      order = 3,
      description = {
        "What answers are worth, several times for their sum: number, text, regex[:PATTERN],"
            + " json-schema, ended, length, thinking, repetition, rules, agent, judge:'URL MODEL',"
            + " or a class. A weight goes before: 0.5*thinking."
      })
  private List<String> rewards = List.of("rules");

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
  private int turns = 1;

  @Mixin private RolloutOptions rollouts;

  @Mixin private LoraOptions lora;

  GroupPolicyTune() {
    super(Path.of("out", "grpo"), new TrainingOptions(1e-5f, 1, 2));
  }

  public static void main(String[] args) {
    MiniMind.run(new GroupPolicyTune(), args);
  }

  @Override
  void begin(RunBuilder run) throws IOException {
    if (data == null || from == null) {
      throw refused("A new run needs --data and --from (an old one --resume).");
    }
    startModel(from);
    addAdapters(lora, run, from);
    try {
      PolicyObjective objective =
          new PolicyObjective(
              variant,
              PolicyObjective.DEFAULT.clip(),
              PolicyObjective.DEFAULT.mostWeight(),
              beta,
              true);
      run.from(from)
          .task(
              GroupPolicyOptimization.of(
                  from, answers, rollouts.settings(turns), objective, rewards));
    } catch (IllegalArgumentException e) {
      throw refused(e.getMessage());
    }
  }
}

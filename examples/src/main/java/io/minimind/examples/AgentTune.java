package io.minimind.examples;

import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.RolloutSettings;
import java.nio.file.Path;
import picocli.CommandLine.Command;

/** Group relative policy optimization of a model that takes several turns with tools. */
@Command(
    name = "agent",
    description = {
      "Teaches a model to use tools (grpo over several turns), or goes on with a run that was"
          + " interrupted.",
      "Its rows are prompts whose system message offers tools, as MiniMind's agent_rl.jsonl has"
          + " them, with the facts that are to be found as gt. Where the model calls one of the six"
          + " mock tools, it is told what the tool gives and goes on; where a call cannot be"
          + " answered within ten seconds, that there is no such tool. What tools say is not"
          + " learnt."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind agent --data tasks.jsonl --from out/sft",
      "  minimind eval tools --model out/agent"
    })
public final class AgentTune extends GroupPolicyTune {

  /** Turns and tokens as MiniMind has them; it is shown its tools, which are long. */
  private static final RolloutSettings ROLLOUTS = new RolloutSettings(1024, 768, 1, 0, 1, 0.1, 3);

  AgentTune() {
    super(Path.of("out", "agent"), "agent", ROLLOUTS);
  }

  public static void main(String[] args) {
    MiniMind.run(new AgentTune(), args);
  }

  @Override
  String task() {
    return GroupPolicyOptimization.NAME;
  }

  @Override
  String advice(String model) {
    return "See whether it uses tools: ./minimind eval tools --model " + model;
  }
}

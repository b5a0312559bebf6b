package io.minimind.verify;

import com.fasterxml.jackson.databind.node.NullNode;
import io.minimind.policy.Answer;
import io.minimind.policy.Reward;
import io.minimind.policy.Rewards;
import java.io.IOException;
import java.util.List;

/** What MiniMind's third version thinks of answers and of agents, and what its tools give. */
final class HeadRewardCases {

  private static final String NAME = "head_rewards";
  private static final double LIMIT = 1e-6;

  private record Rule(String response, double reward) {}

  private record Reference(List<Rule> ruleRewards) {}

  private HeadRewardCases() {}

  /**
   * @throws IOException if the reference's file is missing or damaged
   */
  static List<Case> rules(GoldenFolder golden) throws IOException {
    Reward rules = Rewards.named("minimind-rules");
    Worst worst = new Worst();
    for (Rule rule : golden.read(NAME, Reference.class).ruleRewards()) {
      Answer answer = new Answer(List.of(), rule.response(), 1, true, NullNode.getInstance());
      worst.add(rule.response(), Math.abs(rules.of(answer) - rule.reward()));
    }
    return List.of(worst.against(NAME + " rules", LIMIT));
  }
}

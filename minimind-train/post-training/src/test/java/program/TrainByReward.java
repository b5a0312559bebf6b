package program;

import io.minimind.data.Rows;
import io.minimind.policy.Answer;
import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.policy.Reward;
import io.minimind.policy.RolloutSettings;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A model learns to write the letter e, because that is what it is rewarded for. */
public final class TrainByReward {

  /** The share of the letter among all that was written. */
  public static final class LetterE implements Reward {
    @Override
    public double of(Answer answer) {
      long letters = answer.text().chars().filter(c -> c == 'e').count();
      return (double) letters / Math.max(1, answer.text().length());
    }
  }

  public static RunBuilder run(Path model, Path prompts, String reward, Path out)
      throws IOException {
    RolloutSettings rollouts = new RolloutSettings(20, 8, 1, 0, 1, 0, 1);
    PolicyObjective objective = new PolicyObjective(Variant.CISPO, 0.2, 5, 0.01, true);
    return TrainingRun.builder()
        .task(GroupPolicyOptimization.of(model, 6, rollouts, objective, List.of(reward)))
        .from(model)
        .rows(Rows.of(prompts))
        .settings(s -> s.epochs(4).batchSize(2).learningRate(5e-3f).saveEvery(3))
        .threads(1)
        .folder(out);
  }

  public static void main(String[] args) throws IOException {
    String reward = LetterE.class.getName();
    try (TrainingRun run =
        run(Path.of(args[0]), Path.of(args[1]), reward, Path.of(args[2])).open()) {
      run.train();
    }
  }
}

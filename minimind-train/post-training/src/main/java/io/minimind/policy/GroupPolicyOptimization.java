package io.minimind.policy;

import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import io.minimind.task.FrozenModel;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A model answers each prompt several times, and learns from how much better some of its answers
 * are than the others (Shao et al. 2024, "DeepSeekMath"). Rows are prompts, as {@code
 * conversations}, {@code messages}, {@code prompt} or {@code question}, and {@code gt} or {@code
 * answer} for rewards that verify answers. The batch size is that of prompts.
 *
 * @param from the folder of the model to start from, which is the reference too
 * @param fromWeights the digest of its weights, to notice when they have changed
 * @param answers to each prompt, at least 2
 * @param rewards names of those that are added up, as {@link Reward#named} knows them
 */
public record GroupPolicyOptimization(
    FrozenModel.Folder from,
    String fromWeights,
    int answers,
    RolloutSettings rollouts,
    PolicyObjective objective,
    List<String> rewards)
    implements Task {

  public static final String NAME = "grpo";

  /**
   * @throws IllegalArgumentException if a value is out of its range or a reward is not known
   */
  public GroupPolicyOptimization {
    rewards = List.copyOf(rewards);
    if (answers < 2) {
      throw new ArgumentException(
          "The answers to each prompt must be at least 2, to be compared with each other, but are "
              + answers
              + ".");
    }
    Rewards.sum(rewards, 1);
  }

  /**
   * The task for a model as it is now.
   *
   * @param from the folder of the model to start from
   * @throws IOException if its weights or configuration are missing, or a reward model is none that
   *     it can learn from
   */
  public static GroupPolicyOptimization of(
      Path from,
      int answers,
      RolloutSettings rollouts,
      PolicyObjective objective,
      List<String> rewards)
      throws IOException {
    FrozenModel start = FrozenModel.of(from);
    return new GroupPolicyOptimization(
        start.folder(), start.digest(), answers, rollouts, objective, Rewards.kept(rewards, from));
  }

  /**
   * How much better answers are than the others to the same prompt: how many standard deviations
   * above their mean a reward is. Where all are the same, 0.
   *
   * @param rewards of the answers to one prompt after the other
   * @param answers to each prompt
   */
  public static float[] advantages(double[] rewards, int answers) {
    return Advantages.ofGroups(rewards, answers);
  }

  /** What the run starts from. */
  FrozenModel start() {
    return new FrozenModel(from, fromWeights);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return PromptEncoder.load(tokenizer);
  }

  @Override
  public BatchSource batches(Samples samples, Batching batching) {
    return new Rollouts(this, samples, batching);
  }
}

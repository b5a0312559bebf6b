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
import java.util.ArrayList;
import java.util.List;

/**
 * A model answers prompts, a critic learns what an answer will be worth, and the model learns from
 * what turned out better than the critic thought (Schulman et al. 2017). Rows are prompts, as for
 * {@link GroupPolicyOptimization}. The batch size is that of prompts that are answered together;
 * they are learnt from in several passes of smaller batches.
 *
 * @param from the folder of the model to start from, which is the reference too
 * @param fromWeights the digest of its weights, to notice when they have changed
 * @param steps how answers are learnt from
 * @param rewards names of those that are added up, as {@link Reward#named} knows them
 */
public record ProximalPolicyOptimization(
    FrozenModel.Folder from,
    String fromWeights,
    RolloutSettings rollouts,
    Steps steps,
    ActorCriticObjective objective,
    List<String> rewards)
    implements Task {

  public static final String NAME = "ppo";

  /**
   * How answers are learnt from.
   *
   * @param passes over the same answers, at least 1
   * @param miniBatch answers of an update, at least 1
   * @param gamma by which what comes a token later counts, in (0, 1]
   * @param lambda how far advantages look ahead, in [0, 1]
   * @param mostMoved the mean of {@code ½ log² ρ} of a mini-batch beyond which these answers are
   *     learnt from no more, above 0
   */
  public record Steps(int passes, int miniBatch, double gamma, double lambda, double mostMoved) {

    public static final Steps DEFAULT = new Steps(2, 2, 1, 0.95, 0.25);

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Steps {
      if (passes < 1 || miniBatch < 1) {
        throw new ArgumentException(
            "Passes and the answers of a mini-batch must be at least 1, but are %d and %d."
                .formatted(passes, miniBatch));
      }
      if (!(gamma > 0 && gamma <= 1 && lambda >= 0 && lambda <= 1)) {
        throw new ArgumentException(
            "Gamma must be above 0 and at most 1, lambda between 0 and 1, but they are %s and %s."
                .formatted(gamma, lambda));
      }
      if (!(mostMoved > 0)) {
        throw new ArgumentException(
            "What the policy may move must be above 0, but is " + mostMoved + ".");
      }
    }

    /**
     * What is known of answers once they are worth something, by generalized advantage estimation
     * (Schulman et al. 2016): {@code A_t = δ_t + γ λ A_(t+1)} with {@code δ_t = r_t + γ V_(t+1) -
     * V_t}, where the reward comes with the last token.
     *
     * @param rewards of the answers
     * @param values {@code V}, what the critic thinks at each token of each answer
     */
    public Estimates estimates(double[] rewards, List<float[]> values) {
      List<float[]> advantages = new ArrayList<>();
      List<float[]> returns = new ArrayList<>();
      for (int answer = 0; answer < rewards.length; answer++) {
        float[] expected = values.get(answer);
        float[] better = Advantages.ofTokens(rewards[answer], expected, gamma, lambda);
        float[] sums = new float[expected.length];
        for (int i = 0; i < sums.length; i++) {
          sums[i] = better[i] + expected[i];
        }
        advantages.add(better);
        returns.add(sums);
      }
      Advantages.whiten(advantages);
      return new Estimates(advantages, returns);
    }
  }

  /**
   * How good each token of each answer was.
   *
   * @param advantages how much better than expected, all together moved to a mean of 0 and a
   *     variance of 1
   * @param returns what the answer turned out to be worth from there on
   */
  public record Estimates(List<float[]> advantages, List<float[]> returns) {}

  /**
   * @throws IllegalArgumentException if a reward is not known
   */
  public ProximalPolicyOptimization {
    rewards = List.copyOf(rewards);
    Rewards.sum(rewards, 1);
  }

  /**
   * The task for a model as it is now.
   *
   * @param from the folder of the model to start from
   * @throws IOException if its weights or configuration are missing, or a reward model is none that
   *     it can learn from
   */
  public static ProximalPolicyOptimization of(
      Path from,
      RolloutSettings rollouts,
      Steps steps,
      ActorCriticObjective objective,
      List<String> rewards)
      throws IOException {
    FrozenModel start = FrozenModel.of(from);
    return new ProximalPolicyOptimization(
        start.folder(), start.digest(), rollouts, steps, objective, Rewards.kept(rewards, from));
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
    return new KeptRollouts(this, samples, batching);
  }
}

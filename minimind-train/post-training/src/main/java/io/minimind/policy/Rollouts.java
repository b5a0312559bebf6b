package io.minimind.policy;

import io.minimind.data.Batch;
import io.minimind.data.BatchOrder;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.policy.RolloutSource.Plan;
import io.minimind.policy.RolloutSource.Written;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Prompts in a seeded order, each answered several times by the model as it is. There is nothing to
 * keep with a checkpoint.
 */
record Rollouts(GroupPolicyOptimization task, BatchOrder prompts, Batching batching)
    implements BatchSource {

  Rollouts(GroupPolicyOptimization task, Samples prompts, Batching batching) {
    this(
        task,
        BatchOrder.of(prompts, batching.batchSize(), batching.devices(), batching.seed()),
        batching);
  }

  @Override
  public long batches() {
    return prompts.batches();
  }

  @Override
  public Batches open(Place from, ModelInTraining model) throws IOException {
    Plan plan =
        new Plan(
            task.start(),
            task.answers(),
            task.rollouts(),
            task.rewards(),
            task.objective().beta() > 0);
    RolloutSource source =
        RolloutSource.open(plan, prompts, batching, model, from.epoch(), from.batch());
    return new Batches() {
      private long number = from.batch();

      @Override
      public Batch next() throws IOException {
        return batch(source, source.next(from.epoch(), number++));
      }

      @Override
      public void close() {
        source.close();
      }
    };
  }

  private Batch batch(RolloutSource source, Written written) throws IOException {
    float[] advantages = Advantages.ofGroups(written.rewards(), task.answers());
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < advantages.length; i++) {
      Rollout rollout = written.rollouts().get(i);
      samples.add(
          rollout
              .sample()
              .with(PolicyObjective.REWARDS.name(), (float) written.rewards()[i])
              .with(PolicyObjective.ADVANTAGES.name(), rollout.tokens(advantages[i])));
    }
    return RolloutSource.batch(source.withReference(samples), task.objective().inputs());
  }
}

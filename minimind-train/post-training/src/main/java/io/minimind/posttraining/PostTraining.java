package io.minimind.posttraining;

import io.minimind.distillation.Distillation;
import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.ProximalPolicyOptimization;
import io.minimind.preference.KahnemanTverskyOptimization;
import io.minimind.preference.PreferenceTuning;
import io.minimind.preference.RewardModeling;
import io.minimind.task.Task;
import io.minimind.train.Catalog;
import java.util.Map;

/** The tasks of this module. Runs find it by {@code META-INF/services}; nobody else needs it. */
public final class PostTraining implements Catalog {

  @Override
  public Map<String, Class<? extends Task>> tasks() {
    return Map.of(
        PreferenceTuning.NAME, PreferenceTuning.class,
        KahnemanTverskyOptimization.NAME, KahnemanTverskyOptimization.class,
        RewardModeling.NAME, RewardModeling.class,
        Distillation.NAME, Distillation.class,
        GroupPolicyOptimization.NAME, GroupPolicyOptimization.class,
        ProximalPolicyOptimization.NAME, ProximalPolicyOptimization.class);
  }
}

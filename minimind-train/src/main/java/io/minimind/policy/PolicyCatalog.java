package io.minimind.policy;

import io.minimind.annotation.Internal;
import io.minimind.task.Task;
import io.minimind.train.Catalog;
import java.util.Map;

/** Makes policy optimization known to runs. */
@Internal
public final class PolicyCatalog implements Catalog {

  @Override
  public Map<String, Class<? extends Task>> tasks() {
    return Map.of(
        GroupPolicyOptimization.NAME, GroupPolicyOptimization.class,
        ProximalPolicyOptimization.NAME, ProximalPolicyOptimization.class);
  }
}

package io.minimind.preference;

import io.minimind.annotation.Internal;
import io.minimind.task.Task;
import io.minimind.train.Catalog;
import java.util.Map;

/** Makes learning from preferences known to runs. */
@Internal
public final class PreferenceCatalog implements Catalog {

  @Override
  public Map<String, Class<? extends Task>> tasks() {
    return Map.of(
        PreferenceTuning.NAME, PreferenceTuning.class,
        KahnemanTverskyOptimization.NAME, KahnemanTverskyOptimization.class,
        RewardModeling.NAME, RewardModeling.class);
  }
}

package io.minimind.distillation;

import io.minimind.annotation.Internal;
import io.minimind.task.Task;
import io.minimind.train.Catalog;
import java.util.Map;

/** Makes distillation known to runs. */
@Internal
public final class DistillationCatalog implements Catalog {

  @Override
  public Map<String, Class<? extends Task>> tasks() {
    return Map.of(Distillation.NAME, Distillation.class);
  }
}

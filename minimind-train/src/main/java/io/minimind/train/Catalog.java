package io.minimind.train;

import io.minimind.task.Task;
import java.util.Map;

/**
 * The classes that names in {@code settings.json} stand for, so that runs of a library's own task
 * or schedule can be resumed. Implement it and list the class in {@code
 * META-INF/services/io.minimind.train.Catalog}, as this project's post-training module does, or
 * give it when a run is opened.
 */
public interface Catalog {

  /** Knows nothing besides what is on the class path. */
  Catalog NONE = new Catalog() {};

  /** The tasks by {@link Task#name}. */
  default Map<String, Class<? extends Task>> tasks() {
    return Map.of();
  }

  /** The schedules by {@link LearningRateSchedule#name}. */
  default Map<String, Class<? extends LearningRateSchedule>> schedules() {
    return Map.of();
  }

  /** The catalog of one task. */
  static Catalog of(Task task) {
    return new Catalog() {
      @Override
      public Map<String, Class<? extends Task>> tasks() {
        return Map.of(task.name(), task.getClass());
      }
    };
  }
}

package io.minimind.task;

import io.minimind.distributed.ProcessGroup;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import java.nio.file.Path;

/**
 * For whom and where a task computes what it must know of samples beforehand.
 *
 * @param model of the run
 * @param precision of the run's matrix products
 * @param device that computes, used as the run uses it
 * @param threads threads within an operator on the CPU, at least 1
 * @param folder of the encoded corpus, for files that belong to its samples and go when they go
 * @param group of processes that prepare the same samples at the same time, each of which has this
 *     folder or one of its own
 * @param progress is told how far it is
 */
public record Preparation(
    ModelConfig model,
    TrainingPrecision precision,
    Device device,
    int threads,
    Path folder,
    ProcessGroup group,
    Progress progress) {

  /** Is told how many samples are done. */
  @FunctionalInterface
  public interface Progress {
    void update(long done, long total);
  }
}

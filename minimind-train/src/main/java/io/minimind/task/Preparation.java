package io.minimind.task;

import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;

/**
 * For whom and where a task computes what it must know of samples beforehand.
 *
 * @param model of the run
 * @param precision of the run's matrix products
 * @param device that computes, used as the run uses it
 * @param threads threads within an operator on the CPU, at least 1
 * @param progress is told how far it is
 */
public record Preparation(
    ModelConfig model, TrainingPrecision precision, Device device, int threads, Progress progress) {

  /** Is told how many samples are done. */
  @FunctionalInterface
  public interface Progress {
    void update(long done, long total);
  }
}

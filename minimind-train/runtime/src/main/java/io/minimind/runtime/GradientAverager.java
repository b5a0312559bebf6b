package io.minimind.runtime;

import io.minimind.distributed.ProcessGroup;
import io.minimind.files.ArgumentException;
import java.util.List;

/** Makes one gradient of those of several replicas. */
interface GradientAverager extends AutoCloseable {

  /**
   * The fastest that there is for these replicas.
   *
   * @param gradients of all replicas, which must stay open as long as the averager
   * @param workers for what the host computes, which must stay open too
   */
  static GradientAverager of(List<GradientBuffer> gradients, Workers workers) {
    if (gradients.get(0).device().kind() == Device.Kind.CPU) {
      return new HostAverager(gradients, workers);
    }
    return NcclAverager.isAvailable()
        ? NcclAverager.create(gradients)
        : PinnedAverager.create(gradients, workers);
  }

  /**
   * The same for those of several processes.
   *
   * @param exchange among them
   * @throws IllegalArgumentException if there is none for these replicas
   */
  static GradientAverager of(
      List<GradientBuffer> gradients, Workers workers, ProcessGroup group, Exchange exchange) {
    if (group.size() == 1) {
      return of(gradients, workers);
    }
    if (gradients.get(0).device().kind() != Device.Kind.CPU) {
      throw new ArgumentException(
          "Several processes can train together on CPUs alone: let each take the CPU, or train on"
              + " the GPUs of one machine in one process.");
    }
    return new RowAverager(gradients, workers, group, exchange);
  }

  /**
   * Begins with gradients that are still being computed, where it can: replicas whose gradients
   * count and that run a step are {@link GradientBuffer#expect expecting}. The average follows.
   *
   * @param participants as in {@link #average}
   */
  default void begin(int participants) {}

  /**
   * Overwrites gradients with their mean, which is equal to the bit whenever they are.
   *
   * @param participants how many replicas, from the first on and of all processes, have gradients
   *     that count, at least 1
   */
  void average(int participants);

  /**
   * Forgets what it keeps from one average to the next, so that the updates that follow are those
   * of a run that goes on from here.
   */
  default void forget() {}

  /** Where the mean is that a replica is to take. */
  GradientBuffer mean(int replica);

  @Override
  void close();
}

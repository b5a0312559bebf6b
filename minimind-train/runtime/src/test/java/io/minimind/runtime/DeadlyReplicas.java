package io.minimind.runtime;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.FloatPointer;

/** Replicas whose process is killed half-way through an average. */
public final class DeadlyReplicas {

  private DeadlyReplicas() {}

  /**
   * @param left how many averages come before that
   */
  public static ModelInTraining open(
      ModelInTraining.Files files, List<Device> devices, AtomicInteger left) {
    return Replicas.open(
        files,
        devices,
        devices.size(),
        (gradients, workers) -> new Deadly(gradients, workers, left));
  }

  /** Averages the first half of the gradients, and no more, once it has averaged often enough. */
  private record Deadly(List<GradientBuffer> gradients, Workers workers, AtomicInteger left)
      implements GradientAverager {

    @Override
    public void average(int participants) {
      List<FloatPointer> values = gradients.stream().map(GradientBuffer::values).toList();
      long size = values.get(0).capacity();
      boolean last = left.decrementAndGet() < 0;
      Mean.intoFirst(workers, values, 0, (int) (last ? size / 2 : size));
      if (last) {
        System.out.print("averaging");
        System.out.flush();
        Runtime.getRuntime().halt(137); // Nothing gets a chance to tidy up.
      }
    }

    @Override
    public GradientBuffer mean(int replica) {
      return gradients.get(0);
    }

    @Override
    public void close() {}
  }
}

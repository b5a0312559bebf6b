package io.minimind.runtime;

import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/** Averages gradients of replicas on the CPU in the memory of the first, from which all take it. */
final class HostAverager implements GradientAverager {

  private static final int SEGMENT = 1 << 28;

  private final List<GradientBuffer> gradients;
  private final Workers workers;

  HostAverager(List<GradientBuffer> gradients, Workers workers) {
    this.gradients = List.copyOf(gradients);
    this.workers = workers;
  }

  @Override
  public void average(int participants) {
    List<FloatPointer> values =
        gradients.subList(0, participants).stream().map(GradientBuffer::values).toList();
    long size = values.get(0).capacity();
    for (long start = 0; start < size; start += SEGMENT) {
      Mean.intoFirst(workers, values, start, (int) Math.min(SEGMENT, size - start));
    }
  }

  @Override
  public GradientBuffer mean(int replica) {
    return gradients.get(0);
  }

  @Override
  public void close() {}

  @Override
  public String toString() {
    return "on the CPU";
  }
}

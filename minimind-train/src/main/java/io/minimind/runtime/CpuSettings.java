package io.minimind.runtime;

/**
 * How sessions use the CPU.
 *
 * @param kernels whose compute; results differ in their last bits
 */
public record CpuSettings(KernelSet kernels) {

  /** With this project's kernels. */
  public static CpuSettings defaults() {
    return new CpuSettings(KernelSet.OWN);
  }

  public CpuSettings withKernels(KernelSet kernels) {
    return new CpuSettings(kernels);
  }
}

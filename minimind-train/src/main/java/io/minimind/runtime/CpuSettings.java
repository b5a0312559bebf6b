package io.minimind.runtime;

/**
 * How sessions use the CPU.
 *
 * @param kernels whose compute; results differ in their last bits
 * @param spinning whether threads that wait for work keep a processor busy, which is faster where
 *     nobody else wants it, and several times slower where somebody does
 */
public record CpuSettings(KernelSet kernels, boolean spinning) {

  /** With this project's kernels; threads spin. */
  public static CpuSettings defaults() {
    return new CpuSettings(KernelSet.OWN, true);
  }

  public CpuSettings withKernels(KernelSet kernels) {
    return new CpuSettings(kernels, spinning);
  }

  public CpuSettings withSpinning(boolean spinning) {
    return new CpuSettings(kernels, spinning);
  }
}

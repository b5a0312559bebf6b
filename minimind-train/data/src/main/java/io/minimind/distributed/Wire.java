package io.minimind.distributed;

/** How gradients travel from one process to another. */
public enum Wire {
  /** As they are. */
  FLOAT32,
  /**
   * Rounded to half the bytes. What rounding takes away from a gradient is added to the next one
   * (error feedback; Seide et al. 2014, Karimireddy et al. 2019), so that it is late and not lost.
   * All weights stay equal to the bit, but they depend on the number of processes.
   */
  BFLOAT16
}

package io.minimind.runtime;

import io.minimind.files.ArgumentException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * How a session uses a GPU.
 *
 * @param memory MiB that each of its arenas may take, at least 1; all there is unless given. One is
 *     for training, with the parameters, one for evaluation, and one for the optimizer, with its
 *     moments; one of several replicas has a fourth, for the update. What CUDA and its libraries
 *     take comes on top
 * @param tf32 whether products of float32 matrices may be computed with 10 bits of mantissa, which
 *     is several times as fast on GPUs that can
 */
public record CudaSettings(OptionalInt memory, boolean tf32) {

  public CudaSettings {
    if (memory.isPresent() && memory.getAsInt() < 1) {
      throw new ArgumentException(
          "The memory of a GPU must be at least 1 MiB, but is to be " + memory.getAsInt() + ".");
    }
  }

  /** All memory, and products in full float32. */
  public static CudaSettings defaults() {
    return new CudaSettings(OptionalInt.empty(), false);
  }

  public CudaSettings withMemory(int memory) {
    return new CudaSettings(OptionalInt.of(memory), tf32);
  }

  public CudaSettings withTf32(boolean tf32) {
    return new CudaSettings(memory, tf32);
  }

  /**
   * The same as the runtime's own options.
   *
   * @param device which GPU, from 0
   */
  Map<String, String> entries(int device) {
    Map<String, String> entries = new LinkedHashMap<>();
    entries.put("device_id", Integer.toString(device));
    // Batches differ in shape, and an arena that doubles would hold what nothing needs.
    entries.put("arena_extend_strategy", "kSameAsRequested");
    // The runtime's own default is 1.
    entries.put("use_tf32", tf32 ? "1" : "0");
    // Timing every algorithm is for convolutions, of which a transformer has none.
    entries.put("cudnn_conv_algo_search", "DEFAULT");
    memory.ifPresent(mib -> entries.put("gpu_mem_limit", Long.toString((long) mib << 20)));
    return entries;
  }
}

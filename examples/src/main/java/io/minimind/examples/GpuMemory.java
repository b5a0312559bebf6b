package io.minimind.examples;

import io.minimind.runtime.Device;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The memory of GPUs that is in use, as NVIDIA's driver tells it. */
final class GpuMemory {

  private GpuMemory() {}

  static String describe(List<Device> gpus) {
    List<String> used = new ArrayList<>();
    for (Device gpu : gpus) {
      used.add(gpu + " " + used(gpu));
    }
    return "memory in use: " + String.join(", ", used);
  }

  private static String used(Device gpu) {
    if (System.getenv("CUDA_VISIBLE_DEVICES") != null) {
      return "unknown"; // CUDA counts other GPUs than the driver's tool does.
    }
    try {
      Process query =
          new ProcessBuilder(
                  "nvidia-smi",
                  "--query-gpu=memory.used",
                  "--format=csv,noheader",
                  "--id=" + gpu.index())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (BufferedReader answer = query.inputReader(StandardCharsets.UTF_8)) {
        String line = answer.readLine();
        return line == null ? "unknown" : line.strip();
      }
    } catch (IOException e) {
      return "unknown";
    }
  }
}

package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.junit.jupiter.api.Test;

class CudaTest {

  private static final List<Device> GPU = Device.parse("cuda:0");

  private static final Set<String> ALL =
      Set.of(
          "libcuda.so.1",
          "libcudart.so.13",
          "libcublasLt.so.13",
          "libcublas.so.13",
          "libcufft.so.12",
          "libcudnn.so.9");

  /** A machine with some libraries and GPUs. */
  private record Pretended(boolean hasCudaBuild, Set<String> libraries, int gpus)
      implements Cuda.Machine {

    @Override
    public boolean loads(String library) {
      return libraries.contains(library);
    }

    @Override
    public Optional<String> refusal(int index) {
      assertEquals(ALL, libraries, "GPUs are asked for without the libraries");
      return index < gpus ? Optional.empty() : Optional.of("There are " + gpus + ".");
    }
  }

  private static Optional<String> problem(Pretended machine, String devices) {
    return Cuda.problem(Device.parse(devices), machine);
  }

  @Test
  void aCompleteMachineHasNoProblem() {
    assertEquals(Optional.empty(), problem(new Pretended(true, ALL, 2), "cuda:0,cuda:1"));
  }

  @Test
  void withoutGpusNothingIsNeeded() {
    assertEquals(Optional.empty(), problem(new Pretended(false, Set.of(), 0), "cpu:2"));
    Device.require(List.of(Device.CPU));
  }

  @Test
  void theBuildForTheCpuIsNamedFirst() {
    String problem = problem(new Pretended(false, Set.of(), 0), "cuda").orElseThrow();
    assertTrue(problem.contains("those for the CPU"), problem);
    assertTrue(problem.contains("-Pcuda"), problem);
  }

  @Test
  void eachMissingLibraryIsNamedWithItsPackageAndNoOther() {
    Map<String, String> packages =
        Map.of(
            "libcuda.so.1", "nvidia-driver-580",
            "libcudart.so.13", "cuda-cudart-13-1",
            "libcublasLt.so.13", "libcublas-13-1",
            "libcublas.so.13", "libcublas-13-1",
            "libcufft.so.12", "libcufft-13-1",
            "libcudnn.so.9", "libcudnn9-cuda-13");
    for (String missing : ALL) {
      Set<String> others = new HashSet<>(ALL);
      others.remove(missing);
      String problem = problem(new Pretended(true, others, 1), "cuda:0").orElseThrow();
      assertTrue(problem.contains("lacks " + missing), problem);
      assertTrue(problem.contains("install " + packages.get(missing) + " or later"), problem);
      others.forEach(other -> assertFalse(problem.contains(other), problem));
      assertEquals(missing.equals("libcuda.so.1"), problem.contains("--gpus all"), problem);
    }
  }

  @Test
  void aPackageWithTwoMissingLibrariesIsNamedOnce() {
    Set<String> others = new HashSet<>(ALL);
    others.removeAll(Set.of("libcublas.so.13", "libcublasLt.so.13", "libcudnn.so.9"));
    String problem = problem(new Pretended(true, others, 1), "cuda:0").orElseThrow();
    assertTrue(
        problem.contains("lacks libcublasLt.so.13, libcublas.so.13 and libcudnn.so.9:"), problem);
    assertTrue(problem.contains("install libcublas-13-1 and libcudnn9-cuda-13 or"), problem);
  }

  @Test
  void aGpuThatIsNotThereIsNamed() {
    String problem = problem(new Pretended(true, ALL, 2), "cuda:0,cuda:1,cuda:2").orElseThrow();
    assertTrue(problem.startsWith("cuda:2 cannot be used: There are 2."), problem);
  }

  @Test
  void thisMachineAnswersWithoutCrashing() {
    Optional<String> problem = Cuda.problem(GPU);
    if (problem.isPresent()) {
      var refused = assertThrows(IllegalArgumentException.class, () -> Device.require(GPU));
      assertEquals(problem.get(), refused.getMessage());
    } else {
      Device.require(GPU);
    }
  }

  @Test
  void settingsBecomeTheOptionsOfTheRuntime() {
    Device gpu = new Device(Device.Kind.CUDA, 3);
    Map<String, String> entries = Cuda.entries(gpu.withMemory(5000).withTf32(true));
    assertEquals("3", entries.get("device_id"));
    assertEquals("1", entries.get("use_tf32"));
    assertEquals("5242880000", entries.get("gpu_mem_limit"));
    Map<String, String> defaults = Cuda.entries(gpu);
    assertEquals("0", defaults.get("use_tf32"));
    assertFalse(defaults.containsKey("gpu_mem_limit"));
    assertThrows(IllegalArgumentException.class, () -> gpu.withMemory(0));
  }

  @Test
  void aGpuTakesTheSettings() {
    Optional<String> problem = Cuda.problem(GPU);
    assumeTrue(problem.isEmpty(), () -> problem.get());
    OrtSessionOptions options = new OrtSessionOptions();
    OnnxRuntime.check(OnnxRuntime.API.CreateSessionOptions(options));
    try {
      Cuda.use(GPU.get(0).withMemory(64), options);
    } finally {
      OnnxRuntime.API.ReleaseSessionOptions(options);
    }
  }
}

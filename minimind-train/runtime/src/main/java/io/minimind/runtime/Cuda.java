package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtDeviceAllocator;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtMemTypeDefault;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.onnxruntime.OrtCUDAProviderOptionsV2;
import org.bytedeco.onnxruntime.OrtMemoryInfo;
import org.bytedeco.onnxruntime.OrtSessionOptions;

/** NVIDIA GPUs: what they need of a machine, and how a session is told to use one. */
final class Cuda {

  /** What the runtime's CUDA provider is linked against, and CUDA itself against. */
  private record Library(String file, String ubuntuPackage) {}

  private static final Library DRIVER = new Library("libcuda.so.1", "nvidia-driver-580");

  private static final List<Library> LIBRARIES =
      List.of(
          DRIVER,
          new Library("libcudart.so.13", "cuda-cudart-13-1"),
          new Library("libcublasLt.so.13", "libcublas-13-1"),
          new Library("libcublas.so.13", "libcublas-13-1"),
          new Library("libcufft.so.12", "libcufft-13-1"),
          new Library("libcudnn.so.9", "libcudnn9-cuda-13"));

  /** A machine, as far as CUDA is concerned. */
  interface Machine {

    /** Whether the runtime on the class path was built for CUDA. */
    boolean hasCudaBuild();

    /** Whether the system finds and loads a shared library. */
    boolean loads(String library);

    /**
     * Why a GPU cannot be used, in the runtime's words; asked only if all libraries load.
     *
     * @param index from 0
     */
    Optional<String> refusal(int index);
  }

  private Cuda() {}

  /** Why GPUs among some devices cannot be used, if they cannot. */
  static Optional<String> problem(List<Device> devices) {
    return problem(devices, new ThisMachine());
  }

  static Optional<String> problem(List<Device> devices, Machine machine) {
    List<Device> gpus =
        devices.stream().filter(device -> device.kind() == Device.Kind.CUDA).toList();
    if (gpus.isEmpty()) {
      return Optional.empty();
    }
    if (!machine.hasCudaBuild()) {
      return Optional.of(
          "The native libraries on the class path are those for the CPU. Those for CUDA (129 MB,"
              + " Linux with an x86-64 processor) are org.bytedeco:onnxruntime with the classifier"
              + " linux-x86_64-gpu, which the profile -Pcuda of this project's build takes;"
              + " ./minimind fetches them when a device is cuda, and ./minimind bundle --cuda packs"
              + " them.");
    }
    List<Library> missing =
        LIBRARIES.stream().filter(library -> !machine.loads(library.file)).toList();
    if (!missing.isEmpty()) {
      return Optional.of(sentence(missing));
    }
    for (Device gpu : gpus) {
      Optional<String> refusal = machine.refusal(gpu.index());
      if (refusal.isPresent()) {
        return Optional.of(
            "%s cannot be used: %s nvidia-smi lists the GPUs and their driver, which CUDA 13 needs in version 580 or later."
                .formatted(gpu, refusal.get()));
      }
    }
    return Optional.empty();
  }

  private static String sentence(List<Library> missing) {
    List<String> files = new ArrayList<>();
    Set<String> packages = new LinkedHashSet<>();
    for (Library library : missing) {
      files.add(library == DRIVER ? library.file + " (the NVIDIA driver)" : library.file);
      packages.add(library.ubuntuPackage);
    }
    return "CUDA cannot be used, because this machine lacks %s: install %s or later (Ubuntu's names) from NVIDIA's package repository, https://developer.download.nvidia.com/compute/cuda/repos/%s, or, if they are installed, put their folder into LD_LIBRARY_PATH."
        .formatted(
            enumeration(files),
            enumeration(List.copyOf(packages)),
            missing.contains(DRIVER)
                ? " (a container has the driver of its host if it is started with --gpus all)"
                : "");
  }

  private static String enumeration(List<String> names) {
    int last = names.size() - 1;
    return last == 0
        ? names.get(0)
        : String.join(", ", names.subList(0, last)) + " and " + names.get(last);
  }

  /** What tells the runtime that memory is on a GPU. */
  static OrtMemoryInfo memory(Device gpu) {
    OrtMemoryInfo memory = new OrtMemoryInfo();
    try (BytePointer name = new BytePointer("Cuda")) {
      check(API.CreateMemoryInfo(name, OrtDeviceAllocator, gpu.index(), OrtMemTypeDefault, memory));
    }
    return memory;
  }

  /**
   * Makes sessions with these options use a GPU.
   *
   * @throws OnnxRuntimeException if it cannot be used; {@link Device#require} would have said why
   */
  static void use(Device device, OrtSessionOptions options) {
    Map<String, String> entries = entries(device);
    OrtCUDAProviderOptionsV2 cuda = new OrtCUDAProviderOptionsV2();
    check(API.CreateCUDAProviderOptions(cuda));
    try (PointerPointer<BytePointer> keys =
            new PointerPointer<>(entries.keySet().toArray(String[]::new));
        PointerPointer<BytePointer> values =
            new PointerPointer<>(entries.values().toArray(String[]::new))) {
      check(API.UpdateCUDAProviderOptions(cuda, keys, values, entries.size()));
      check(API.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda));
    } finally {
      API.ReleaseCUDAProviderOptions().call(cuda);
    }
  }

  /** How a GPU is used, as the runtime's own options. */
  static Map<String, String> entries(Device device) {
    Map<String, String> entries = new LinkedHashMap<>();
    entries.put("device_id", Integer.toString(device.index()));
    // Batches differ in shape, and an arena that doubles would hold what nothing needs.
    entries.put("arena_extend_strategy", "kSameAsRequested");
    // The runtime's own default is 1.
    entries.put("use_tf32", device.tf32() ? "1" : "0");
    // Timing every algorithm is for convolutions, of which a transformer has none.
    entries.put("cudnn_conv_algo_search", "DEFAULT");
    if (device.memory() != Device.ALL_MEMORY) {
      entries.put("gpu_mem_limit", Long.toString((long) device.memory() << 20));
    }
    return entries;
  }

  /** Asks the dynamic linker, as the runtime will, and the runtime. */
  private static final class ThisMachine implements Machine {

    @Override
    public boolean hasCudaBuild() {
      OnnxRuntime.load();
      try {
        OrtCUDAProviderOptionsV2 cuda = new OrtCUDAProviderOptionsV2();
        check(API.CreateCUDAProviderOptions(cuda));
        API.ReleaseCUDAProviderOptions().call(cuda);
        return true;
      } catch (OnnxRuntimeException e) {
        return false;
      }
    }

    @Override
    public boolean loads(String library) {
      if (!Loader.getPlatform().startsWith("linux")) {
        return true; // The names are Linux's; elsewhere the runtime says what it does not find.
      }
      try {
        Loader.loadGlobal(library);
        return true;
      } catch (UnsatisfiedLinkError e) {
        return false;
      }
    }

    @Override
    public Optional<String> refusal(int index) {
      try {
        // Of what the runtime offers, this alone looks at the GPUs without a model.
        check(API.SetCurrentGpuDeviceId(index));
        return Optional.empty();
      } catch (OnnxRuntimeException e) {
        return Optional.of(e.getMessage().replaceFirst("\\.?$", "."));
      }
    }
  }
}

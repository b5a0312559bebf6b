package io.minimind.runtime;

import static org.bytedeco.onnxruntime.global.onnxruntime.ORT_API_VERSION;
import static org.bytedeco.onnxruntime.global.onnxruntime.ORT_LOGGING_LEVEL_ERROR;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtArenaAllocator;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtGetApiBase;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtMemTypeDefault;

import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.CharPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtApi;
import org.bytedeco.onnxruntime.OrtEnv;
import org.bytedeco.onnxruntime.OrtMemoryInfo;
import org.bytedeco.onnxruntime.OrtStatus;
import org.bytedeco.onnxruntime.OrtTrainingApi;

/** The process-wide part of ONNX Runtime: its function tables, its environment, its errors. */
final class OnnxRuntime {

  static {
    // JavaCPP refuses memory, however little, when the process has twice what the heap may have. A
    // model in training lies outside the heap. The setting is read with the first pointer.
    System.getProperties().putIfAbsent("org.bytedeco.javacpp.maxphysicalbytes", "0");
  }

  static final OrtApi API = OrtGetApiBase().GetApi().call(ORT_API_VERSION);
  static final OrtTrainingApi TRAINING = trainingApi();
  static final OrtEnv ENVIRONMENT = environment();
  static final OrtMemoryInfo CPU = cpu();

  private OnnxRuntime() {}

  /** Makes sure that the libraries are loaded; before the first pointer. */
  static void load() {}

  /** The runtime's own allocator of host memory; it must not be released. */
  static OrtAllocator allocator() {
    OrtAllocator allocator = new OrtAllocator();
    check(API.GetAllocatorWithDefaultOptions(allocator));
    return allocator;
  }

  private static OrtTrainingApi trainingApi() {
    OrtTrainingApi training = API.GetTrainingApi().call(ORT_API_VERSION);
    if (training == null || training.isNull()) {
      throw new IllegalStateException(
          "This build of ONNX Runtime has no training API: is com.microsoft.onnxruntime on the"
              + " class path next to org.bytedeco:onnxruntime?");
    }
    return training;
  }

  private static OrtEnv environment() {
    OrtEnv environment = new OrtEnv();
    try (BytePointer name = new BytePointer("minimind")) {
      check(API.CreateEnv(ORT_LOGGING_LEVEL_ERROR, name, environment));
    }
    return environment;
  }

  private static OrtMemoryInfo cpu() {
    OrtMemoryInfo cpu = new OrtMemoryInfo();
    check(API.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, cpu));
    return cpu;
  }

  /** Turns a failure into an exception with the runtime's message. */
  static void check(OrtStatus status) {
    if (status == null || status.isNull()) {
      return;
    }
    String message = API.GetErrorMessage().call(status).getString(StandardCharsets.UTF_8);
    API.ReleaseStatus(status);
    throw new OnnxRuntimeException(message, KernelDomain.takeFailure());
  }

  /** A path as the runtime takes it: wide characters on Windows, UTF-8 elsewhere. */
  static Pointer path(java.nio.file.Path path) {
    String text = path.toAbsolutePath().toString();
    return Loader.getPlatform().startsWith("windows")
        ? new CharPointer(text)
        : new BytePointer(text, StandardCharsets.UTF_8);
  }
}

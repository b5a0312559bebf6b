package io.minimind.infer;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;

/** What computes. Which of them there are depends on the build of ONNX Runtime and the system. */
public enum ExecutionProvider {
  /** The processor; in every build. */
  CPU(OrtProvider.CPU, ""),
  /** A graphics card by NVIDIA. */
  CUDA(
      OrtProvider.CUDA,
      "exchange the dependency onnxruntime for onnxruntime_gpu and install CUDA and cuDNN"),
  /** Apple's accelerators. */
  COREML(OrtProvider.CORE_ML, "use macOS, where the build for it has it"),
  /** DirectX 12 on Windows. */
  DIRECTML(OrtProvider.DIRECT_ML, "put a build of ONNX Runtime with DirectML on the class path");

  private final OrtProvider provider;
  private final String advice;

  ExecutionProvider(OrtProvider provider, String advice) {
    this.provider = provider;
    this.advice = advice;
  }

  /** Whether the ONNX Runtime on the class path was built with it. */
  public boolean available() {
    // Every build has the CPU; Bytedeco's cannot be asked.
    return this == CPU || OrtEnvironment.getAvailableProviders().contains(provider);
  }

  /**
   * @throws IllegalArgumentException if it is not there, or does not start
   */
  void addTo(SessionOptions options) {
    if (!available()) {
      throw new IllegalArgumentException(
          "This build of ONNX Runtime has no execution provider %s, only %s; %s, or load the model with CPU."
              .formatted(this, OrtEnvironment.getAvailableProviders(), advice));
    }
    try {
      switch (this) {
        case CPU -> {}
        case CUDA -> options.addCUDA();
        case COREML -> options.addCoreML();
        case DIRECTML -> options.addDirectML(0);
      }
    } catch (OrtException e) {
      throw new IllegalArgumentException(
          "The execution provider %s does not start (ONNX Runtime says: %s); install what it needs, or load the model with CPU."
              .formatted(this, e.getMessage().strip()),
          e);
    }
  }
}

package io.minimind.infer;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.minimind.files.ArgumentException;

/** What computes. Which of them there are depends on the build of ONNX Runtime and the system. */
public enum ExecutionProvider {
  /** The processor; in every build. */
  CPU(""),
  /** A graphics card by NVIDIA. */
  CUDA("exchange the dependency onnxruntime for onnxruntime_gpu and install CUDA and cuDNN"),
  /** Apple's accelerators. */
  COREML("use macOS, where ONNX Runtime has it"),
  /** DirectX 12 on Windows. */
  DIRECTML("put a build of ONNX Runtime with DirectML on the class path");

  private final String advice;

  ExecutionProvider(String advice) {
    this.advice = advice;
  }

  /**
   * @throws IllegalArgumentException if it is not there, or does not start
   */
  void addTo(SessionOptions options) {
    try {
      switch (this) {
        case CPU -> {}
        case CUDA -> options.addCUDA();
        case COREML -> options.addCoreML();
        case DIRECTML -> options.addDirectML(0);
      }
    } catch (OrtException e) {
      throw new ArgumentException(
          "This ONNX Runtime cannot compute with the execution provider %s (it says: %s); %s, or load the model with CPU."
              .formatted(this, DecoderPool.reason(e), advice),
          e);
    }
  }
}

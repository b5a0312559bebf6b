package io.minimind.runtime;

/** A call to ONNX Runtime failed, as the runtime says, or lacks an input that its graph needs. */
public final class OnnxRuntimeException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  OnnxRuntimeException(String message) {
    super(message);
  }
}

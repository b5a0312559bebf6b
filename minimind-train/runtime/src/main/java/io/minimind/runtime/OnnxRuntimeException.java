package io.minimind.runtime;

/** A call to ONNX Runtime failed, as the runtime says, or lacks an input that its graph needs. */
public final class OnnxRuntimeException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  OnnxRuntimeException(String message) {
    super(message);
  }

  /**
   * @param cause what a kernel of this project threw, or null if it was none
   */
  OnnxRuntimeException(String message, Throwable cause) {
    super(message, cause);
  }
}

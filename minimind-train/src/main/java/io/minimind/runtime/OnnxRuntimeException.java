package io.minimind.runtime;

/** A call to ONNX Runtime failed; the message is the runtime's own. */
public final class OnnxRuntimeException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  OnnxRuntimeException(String message) {
    super(message);
  }
}

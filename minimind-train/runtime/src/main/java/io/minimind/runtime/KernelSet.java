package io.minimind.runtime;

/** Whose kernels compute on a CPU. */
public enum KernelSet {
  /**
   * This project's where it has one for an operator and the machine has what that needs, and else
   * ONNX Runtime's.
   */
  OWN("own"),
  /** ONNX Runtime's alone. */
  ONNX_RUNTIME("onnxruntime");

  private final String label;

  KernelSet(String label) {
    this.label = label;
  }

  /** As one writes it on a command line. */
  @Override
  public String toString() {
    return label;
  }
}

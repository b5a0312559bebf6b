package io.minimind.graph;

/** The element types that tensors here have, with their ONNX code and their safetensors name. */
public enum ElementType {
  FLOAT32(1, 4, "F32"),
  UINT8(2, 1, "U8"),
  INT32(6, 4, "I32"),
  INT64(7, 8, "I64"),
  BOOL(9, 1, "BOOL"),
  FLOAT64(11, 8, "F64");

  private final int onnxCode;
  private final int bytes;
  private final String safetensorsName;

  ElementType(int onnxCode, int bytes, String safetensorsName) {
    this.onnxCode = onnxCode;
    this.bytes = bytes;
    this.safetensorsName = safetensorsName;
  }

  /** The value of {@code TensorProto.DataType}. */
  public int onnxCode() {
    return onnxCode;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** The dtype as a safetensors header spells it. */
  public String safetensorsName() {
    return safetensorsName;
  }

  /** Whether gradients can flow through tensors of this type. */
  public boolean isFloating() {
    return this == FLOAT32 || this == FLOAT64;
  }
}

package io.minimind.graph;

import java.util.Arrays;
import java.util.List;

/** The element types that tensors here have, with their ONNX code and their safetensors name. */
public enum ElementType {
  FLOAT32(1, 4, "F32"),
  UINT8(2, 1, "U8"),
  INT32(6, 4, "I32"),
  INT64(7, 8, "I64"),
  BOOL(9, 1, "BOOL"),
  FLOAT16(10, 2, "F16"),
  FLOAT64(11, 8, "F64"),
  /** The exponents of float32 with 8 bits of precision. */
  BFLOAT16(16, 2, "BF16");

  private final int onnxCode;
  private final int bytes;
  private final String safetensorsName;

  ElementType(int onnxCode, int bytes, String safetensorsName) {
    this.onnxCode = onnxCode;
    this.bytes = bytes;
    this.safetensorsName = safetensorsName;
  }

  /** The types of tensors in the checkpoints of a run; half precision is only in graphs. */
  public static List<ElementType> ofFiles() {
    return Arrays.stream(values()).filter(type -> !type.isHalf()).toList();
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
    return this == FLOAT32 || this == FLOAT64 || isHalf();
  }

  /** Whether an element is a floating point number of two bytes. */
  public boolean isHalf() {
    return this == FLOAT16 || this == BFLOAT16;
  }
}

package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.TRAINING;
import static io.minimind.runtime.OnnxRuntime.check;
import static io.minimind.runtime.OnnxRuntime.path;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32C;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtTensorTypeAndShapeInfo;
import org.bytedeco.onnxruntime.OrtValue;

/** Parameters, gradients and optimizer state, which the sessions of one device share. */
final class ParameterState implements AutoCloseable {

  final OrtCheckpointState handle = new OrtCheckpointState();

  private ParameterState() {}

  /**
   * @throws OnnxRuntimeException if the runtime refuses the file
   */
  static ParameterState load(Path checkpoint) {
    OnnxRuntime.load();
    ParameterState state = new ParameterState();
    try (Pointer file = path(checkpoint)) {
      check(TRAINING.LoadCheckpoint(file, state.handle));
    }
    return state;
  }

  void save(Path file) {
    try (Pointer target = path(file)) {
      check(TRAINING.SaveCheckpoint(handle, target, true));
    }
  }

  /** The shape of a parameter. */
  long[] shape(String name) {
    OrtTensorTypeAndShapeInfo info = new OrtTensorTypeAndShapeInfo();
    try (BytePointer text = new BytePointer(name, StandardCharsets.UTF_8)) {
      check(TRAINING.GetParameterTypeAndShape(handle, text, info));
    }
    return Values.shape(info);
  }

  /** The CRC-32C of the values of parameters, in their order. */
  long hash(List<String> names) {
    OrtAllocator allocator = OnnxRuntime.allocator();
    CRC32C hash = new CRC32C();
    for (String name : names) {
      OrtValue value = new OrtValue();
      try (BytePointer text = new BytePointer(name, StandardCharsets.UTF_8)) {
        check(TRAINING.GetParameter(handle, text, allocator, value));
        hash.update(Values.bytes(value));
      } finally {
        API.ReleaseValue(value);
      }
    }
    return hash.getValue();
  }

  @Override
  public void close() {
    if (!handle.isNull()) {
      TRAINING.ReleaseCheckpointState(handle);
      handle.setNull();
    }
  }
}

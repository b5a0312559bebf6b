package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtMemoryInfo;
import org.bytedeco.onnxruntime.OrtTensorTypeAndShapeInfo;
import org.bytedeco.onnxruntime.OrtValue;

/** Tensor handles for one call, released together. */
final class Values implements AutoCloseable {

  final PointerPointer<OrtValue> pointers;
  final int count;
  private final Pointer[] data;

  Values(int count) {
    this.count = count;
    this.data = new Pointer[count];
    this.pointers = new PointerPointer<>(count);
    for (int i = 0; i < count; i++) {
      pointers.put(i, (Pointer) null);
    }
  }

  /** How many values a batch is. */
  static int of(Batch batch) {
    return batch.reference().isPresent() ? 4 : 3;
  }

  /** Puts a batch at the start, in the order in which the graphs declare its parts. */
  void put(Batch batch) {
    long[] shape = {batch.rows(), batch.length()};
    long positions = (long) batch.rows() * batch.length();
    data[0] = new LongPointer(batch.inputIds());
    put(0, data[0], positions * Long.BYTES, ElementType.INT64, shape);
    data[1] = new LongPointer(batch.labels());
    put(1, data[1], positions * Long.BYTES, ElementType.INT64, shape);
    put(2, batch.lossMask(), positions, shape);
    batch
        .reference()
        .ifPresent(reference -> put(3, reference, batch.rows(), new long[] {batch.rows() / 2, 2}));
  }

  /**
   * @param values from position 0 on, whatever its position
   */
  void put(int index, FloatBuffer values, long elements, long[] shape) {
    data[index] = new FloatPointer(values);
    put(index, data[index], elements * Float.BYTES, ElementType.FLOAT32, shape);
  }

  void put(int index, Pointer values, long bytes, ElementType type, long... shape) {
    put(index, OnnxRuntime.CPU, values, bytes, type, shape);
  }

  void put(
      int index,
      OrtMemoryInfo memory,
      Pointer values,
      long bytes,
      ElementType type,
      long... shape) {
    OrtValue value = new OrtValue();
    check(
        API.CreateTensorWithDataAsOrtValue(
            memory, values, bytes, shape, shape.length, type.onnxCode(), value));
    pointers.put(index, value);
  }

  float scalar(int index) {
    return floats(index).get(0);
  }

  /** The values of a float32 tensor, in native memory that lives until this is closed. */
  FloatBuffer floats(int index) {
    return bytes(index).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /** As {@link #floats}, in bytes. */
  ByteBuffer bytes(int index) {
    return bytes(pointers.get(OrtValue.class, index));
  }

  /** The memory of a tensor of 4-byte elements on the CPU. */
  static ByteBuffer bytes(OrtValue value) {
    long elements = Arrays.stream(shape(value)).reduce(1, Math::multiplyExact);
    try (PointerPointer<Pointer> data = new PointerPointer<>(1)) {
      check(API.GetTensorMutableData(value, data));
      return new FloatPointer(data.get()).capacity(elements).asByteBuffer();
    }
  }

  private static long[] shape(OrtValue value) {
    OrtTensorTypeAndShapeInfo info = new OrtTensorTypeAndShapeInfo();
    check(API.GetTensorTypeAndShape(value, info));
    return shape(info);
  }

  /** The shape that a description names; the description is released. */
  static long[] shape(OrtTensorTypeAndShapeInfo info) {
    try (SizeTPointer rank = new SizeTPointer(1)) {
      check(API.GetDimensionsCount(info, rank));
      long[] shape = new long[Math.toIntExact(rank.get())];
      check(API.GetDimensions(info, shape, shape.length));
      return shape;
    } finally {
      API.ReleaseTensorTypeAndShapeInfo(info);
    }
  }

  @Override
  public void close() {
    for (int i = 0; i < count; i++) {
      OrtValue value = pointers.get(OrtValue.class, i);
      if (value != null && !value.isNull()) {
        API.ReleaseValue(value);
      }
      if (data[i] != null) {
        data[i].close();
      }
    }
    pointers.close();
  }
}

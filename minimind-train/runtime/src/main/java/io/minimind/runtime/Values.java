package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
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

  /**
   * The inputs of a call: what a graph asks for, from a batch or else from scalars.
   *
   * @param names of the graph's inputs in their order
   * @throws OnnxRuntimeException if neither has an input; the message names it
   */
  static Values of(List<String> names, Batch batch, Scalars scalars) {
    Values values = new Values(names.size());
    try {
      for (int i = 0; i < names.size(); i++) {
        Batch.Part part = batch.part(names.get(i)).orElse(null);
        if (part != null) {
          values.put(i, part, batch.shape(part.input()));
        } else {
          values.put(i, scalars.get(names.get(i)));
        }
      }
      return values;
    } catch (RuntimeException | Error e) {
      values.close();
      throw e;
    }
  }

  private void put(int index, Batch.Part part, long[] shape) {
    data[index] = new BytePointer(part.memory());
    ElementType type = part.input().type();
    long bytes = type.bytes();
    for (long extent : shape) {
      bytes *= extent;
    }
    put(index, OnnxRuntime.CPU, data[index], bytes, type, shape);
  }

  /** Puts a float32 number. */
  void put(int index, FloatPointer scalar) {
    put(index, OnnxRuntime.CPU, scalar, Float.BYTES, ElementType.FLOAT32);
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

  /** The first number of an int64 tensor. */
  long integer(int index) {
    try (PointerPointer<Pointer> data = new PointerPointer<>(1)) {
      check(API.GetTensorMutableData(pointers.get(OrtValue.class, index), data));
      return new LongPointer(data.get()).get();
    }
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
    if (elements == 0) { // Its memory may be nowhere.
      return ByteBuffer.allocate(0);
    }
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

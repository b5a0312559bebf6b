package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import io.minimind.graph.ElementType;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.onnxruntime.OrtMemoryInfo;

/**
 * The gradients of all trained parameters of a replica, one after another in one piece of memory on
 * its device, which is allocated once.
 */
final class GradientBuffer implements AutoCloseable {

  /** Gradients begin at multiples of 256 bytes, as the memory of a GPU does. */
  private static final int ALIGNMENT = 256 / Float.BYTES;

  private record Part(long[] shape, long start, long length) {}

  private final Device device;
  private final List<Part> parts;
  private final FloatPointer values;
  private final OrtMemoryInfo memory;
  private boolean open = true;

  private GradientBuffer(
      Device device, List<Part> parts, FloatPointer values, OrtMemoryInfo memory) {
    this.device = device;
    this.parts = parts;
    this.values = values;
    this.memory = memory;
  }

  /**
   * @param shapes of the parameters
   * @throws OnnxRuntimeException if there is not enough memory
   */
  static GradientBuffer allocate(Device device, List<long[]> shapes) {
    List<Part> parts = new ArrayList<>();
    long size = 0;
    for (long[] shape : shapes) {
      long length = 1;
      for (long extent : shape) {
        length = Math.multiplyExact(length, extent);
      }
      parts.add(new Part(shape, size, length));
      size += (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    boolean cuda = device.kind() == Device.Kind.CUDA;
    FloatPointer values = cuda ? CudaRuntime.allocate(device, size) : allocate(size);
    return new GradientBuffer(device, parts, values, cuda ? Cuda.memory(device) : OnnxRuntime.CPU);
  }

  private static FloatPointer allocate(long size) {
    try (PointerPointer<Pointer> address = new PointerPointer<>(1)) {
      check(API.AllocatorAlloc(OnnxRuntime.allocator(), size * Float.BYTES, address));
      return new FloatPointer(address.get()).capacity(size);
    }
  }

  Device device() {
    return device;
  }

  /** How many parameters there are. */
  int count() {
    return parts.size();
  }

  /** All gradients; between them may be values that mean nothing. In memory of the device. */
  FloatPointer values() {
    return values;
  }

  /** Puts tensors over this memory among those of a call, from an index on. */
  void put(Values into, int index) {
    for (Part part : parts) {
      FloatPointer start = values.getPointer(part.start);
      into.put(index++, memory, start, part.length * Float.BYTES, ElementType.FLOAT32, part.shape);
    }
  }

  @Override
  public void close() {
    if (!open) {
      return;
    }
    open = false;
    if (device.kind() == Device.Kind.CUDA) {
      CudaRuntime.free(values);
      API.ReleaseMemoryInfo(memory);
    } else {
      check(API.AllocatorFree(OnnxRuntime.allocator(), values));
    }
  }
}

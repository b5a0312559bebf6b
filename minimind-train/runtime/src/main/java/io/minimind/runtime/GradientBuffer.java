package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import io.minimind.graph.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.onnxruntime.OrtMemoryInfo;

/**
 * The gradients of all trained parameters of a replica, one after another in one piece of memory on
 * its device, which is allocated once. Whoever does not want to wait for the end of a step can wait
 * for a part of them, as far as the graph says when they are there.
 */
final class GradientBuffer implements AutoCloseable {

  /** Gradients begin at multiples of 256 bytes, as the memory of a GPU does. */
  private static final int ALIGNMENT = 256 / Float.BYTES;

  private record Part(long[] shape, long start, long length) {}

  /** What is to be told of a gradient, by the address that it has in an open buffer. */
  static final Map<Long, Runnable> ANNOUNCEMENTS = new ConcurrentHashMap<>();

  private final Device device;
  private final List<Part> parts;
  private final FloatPointer values;
  private final OrtMemoryInfo memory;
  private boolean open = true;

  /** Of each part, whether a step that is running has yet to give it. */
  private final boolean[] missing;

  private GradientBuffer(
      Device device, List<Part> parts, FloatPointer values, OrtMemoryInfo memory) {
    this.device = device;
    this.parts = parts;
    this.values = values;
    this.memory = memory;
    missing = new boolean[parts.size()];
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
    OrtMemoryInfo memory = cuda ? Cuda.memory(device) : OnnxRuntime.CPU;
    GradientBuffer buffer = new GradientBuffer(device, parts, values, memory);
    for (int i = 0; i < parts.size(); i++) {
      int part = i;
      ANNOUNCEMENTS.put(buffer.address(i), () -> buffer.arrived(part));
    }
    return buffer;
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

  long address(int part) {
    return values.address() + parts.get(part).start * Float.BYTES;
  }

  /** The kernel that is told a gradient which is where it belongs, and gives a flag. */
  static void announce(KernelCall call) {
    Pointer.memset(new KernelDomain.Handle(call.output(0, 1).address()), 1, 1);
    ANNOUNCEMENTS.getOrDefault(call.input(0).address(), () -> {}).run();
  }

  /** A step begins that gives all of them, and whoever waits is to wait for it. */
  synchronized void expect() {
    Arrays.fill(missing, true);
  }

  /** The step has ended. */
  void arrived() {
    arrived(0, missing.length);
  }

  void arrived(int part) {
    arrived(part, part + 1);
  }

  private synchronized void arrived(int from, int to) {
    Arrays.fill(missing, from, to, false);
    notifyAll();
  }

  /** Waits until the values of a range are there. */
  synchronized void await(long start, long length) {
    boolean interrupted = false;
    while (isMissing(start, start + length)) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true; // For later: the step goes on in any case.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isMissing(long from, long to) {
    for (int i = 0; i < missing.length; i++) {
      Part part = parts.get(i);
      if (missing[i] && part.start < to && from < part.start + part.length) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    if (!open) {
      return;
    }
    open = false;
    for (int i = 0; i < parts.size(); i++) {
      ANNOUNCEMENTS.remove(address(i));
    }
    if (device.kind() == Device.Kind.CUDA) {
      CudaRuntime.free(values);
      API.ReleaseMemoryInfo(memory);
    } else {
      check(API.AllocatorFree(OnnxRuntime.allocator(), values));
    }
  }
}

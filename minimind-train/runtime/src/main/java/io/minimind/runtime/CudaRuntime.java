package io.minimind.runtime;

import static org.bytedeco.cuda.global.cudart.cudaEventCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaEventDestroy;
import static org.bytedeco.cuda.global.cudart.cudaEventDisableTiming;
import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaFreeHost;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMallocHost;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cudaStreamNonBlocking;
import static org.bytedeco.cuda.global.cudart.cudaSuccess;

import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * What this project asks of CUDA itself. Loading this class loads CUDA's libraries, so it must not
 * be touched before {@link Cuda#require}.
 */
final class CudaRuntime {

  private CudaRuntime() {}

  /** Turns a failure into an exception with CUDA's message. */
  static void check(int error) {
    if (error != cudaSuccess) {
      throw new OnnxRuntimeException(
          "CUDA failed: %s (%d).".formatted(cudaGetErrorString(error).getString(), error));
    }
  }

  /** Makes the calls of this thread that follow go to a GPU. */
  static void select(Device gpu) {
    check(cudaSetDevice(gpu.index()));
  }

  /** Memory on a GPU, not initialized; for {@link #free}. */
  static FloatPointer allocate(Device gpu, long floats) {
    select(gpu);
    try (PointerPointer<Pointer> address = new PointerPointer<>(1)) {
      check(cudaMalloc(address, floats * Float.BYTES));
      return new FloatPointer(address.get()).capacity(floats);
    }
  }

  /** As whatever gives back: without a check, since after a failure every call fails. */
  static void free(FloatPointer memory) {
    cudaFree(memory);
  }

  /** Memory of the host that GPUs reach while the host computes; for {@link #freePinned}. */
  static FloatPointer allocatePinned(long floats) {
    try (PointerPointer<Pointer> address = new PointerPointer<>(1)) {
      check(cudaMallocHost(address, floats * Float.BYTES));
      return new FloatPointer(address.get()).capacity(floats);
    }
  }

  static void freePinned(FloatPointer memory) {
    cudaFreeHost(memory);
  }

  /** A queue of work on the selected GPU that waits for no other. */
  static CUstream_st createStream() {
    CUstream_st stream = new CUstream_st();
    check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
    return stream;
  }

  static void destroy(CUstream_st stream) {
    cudaStreamDestroy(stream);
  }

  /** A mark in a stream of the selected GPU, which the host can wait for. */
  static CUevent_st createEvent() {
    CUevent_st event = new CUevent_st();
    check(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
    return event;
  }

  static void destroy(CUevent_st event) {
    cudaEventDestroy(event);
  }
}

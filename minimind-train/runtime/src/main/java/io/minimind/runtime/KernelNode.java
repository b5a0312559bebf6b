package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.onnxruntime.OrtKernelInfo;
import org.bytedeco.onnxruntime.OrtKeyValuePairs;
import org.bytedeco.onnxruntime.OrtSessionOptions;

/** The node that a kernel is made for, and its session. */
final class KernelNode {

  private static final String THREADS = "minimind.threads";

  private final OrtKernelInfo info;

  KernelNode(OrtKernelInfo info) {
    this.info = info;
  }

  /** Tells the kernels of the sessions that are opened with some options their threads. */
  static void tellThreads(OrtSessionOptions options, int threads) {
    check(API.AddSessionConfigEntry(options, THREADS, Integer.toString(threads)));
  }

  /** The value of an integer attribute. */
  long integer(String attribute) {
    try (BytePointer name = new BytePointer(attribute);
        LongPointer value = new LongPointer(1)) {
      check(API.KernelInfoGetAttribute_int64(info, name, value));
      return value.get();
    }
  }

  /** How many threads the session has within an operator. */
  int threads() {
    OrtKeyValuePairs entries = new OrtKeyValuePairs();
    check(API.KernelInfo_GetConfigEntries(info, entries));
    try (BytePointer key = new BytePointer(THREADS)) {
      return Integer.parseInt(API.GetKeyValue().call(entries, key).getString());
    } finally {
      API.ReleaseKeyValuePairs(entries);
    }
  }
}

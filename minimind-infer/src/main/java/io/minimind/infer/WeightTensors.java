package io.minimind.infer;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.minimind.infer.graph.DecoderGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights as the runtime takes them.
 *
 * @param tensors by their names
 * @param memory in which they lie, if it is freed with them. These are few large pieces: what is
 *     freed of such goes back to the system at once, while of small ones the allocator of the C
 *     library keeps tens of megabytes.
 */
record WeightTensors(Map<String, OnnxTensor> tensors, List<ByteBuffer> memory)
    implements AutoCloseable {

  private static final long LARGEST_PIECE = 1 << 30;

  /** Bytes of the longest vectors of processors. */
  private static final int ALIGNMENT = 64;

  private WeightTensors() {
    this(new HashMap<>(), new ArrayList<>());
  }

  static WeightTensors none() {
    return new WeightTensors(Map.of(), List.of());
  }

  /** In memory of others, where they stay. */
  static WeightTensors of(OrtEnvironment environment, List<DecoderInMemory.Weight> weights)
      throws OrtException {
    WeightTensors made = new WeightTensors();
    try {
      for (DecoderInMemory.Weight weight : weights) {
        made.tensors.put(
            weight.name(), OnnxTensor.createTensor(environment, weight.values(), weight.shape()));
      }
      return made;
    } catch (OrtException | RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  /**
   * Reads weights of a file into memory of their own.
   *
   * @throws IOException if the file ends before, or there is no memory for it; the message says so
   */
  static WeightTensors read(
      OrtEnvironment environment, Path file, List<DecoderGraph.Weight> weights)
      throws IOException, OrtException {
    WeightTensors read = new WeightTensors();
    if (weights.isEmpty()) {
      return read;
    }
    long left = weights.stream().mapToLong(WeightTensors::size).sum();
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer piece = ByteBuffer.allocate(0);
      for (DecoderGraph.Weight weight : weights) {
        long size = size(weight);
        if (piece.remaining() < size) {
          piece = NativeMemory.allocate(Math.max(size, Math.min(left, LARGEST_PIECE)), file);
          read.memory.add(piece);
        }
        ByteBuffer bytes =
            piece.slice(piece.position(), (int) weight.length()).order(ByteOrder.nativeOrder());
        piece.position(piece.position() + (int) size);
        left -= size;
        NativeMemory.fill(bytes, channel, weight.offset(), file);
        read.tensors.put(weight.name(), tensor(environment, weight, bytes.flip()));
      }
      return read;
    } catch (IOException | OrtException | RuntimeException | Error e) {
      read.close();
      throw e;
    }
  }

  private static long size(DecoderGraph.Weight weight) {
    return (weight.length() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static OnnxTensor tensor(
      OrtEnvironment environment, DecoderGraph.Weight weight, ByteBuffer bytes)
      throws OrtException {
    long[] shape = weight.shape().stream().mapToLong(extent -> extent).toArray();
    return OnnxTensor.createTensor(
        environment, bytes, shape, weight.isFloat() ? OnnxJavaType.FLOAT : OnnxJavaType.UINT8);
  }

  @Override
  public void close() {
    tensors.values().forEach(OnnxTensor::close);
    memory.forEach(NativeMemory::free);
  }
}

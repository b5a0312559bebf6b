package io.minimind.infer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.minimind.files.DecoderNames;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The keys and values of several texts, one in each row, in memory that the runtime reads and
 * writes in place: for each layer a buffer of keys and one of values, [rows, heads, capacity, head
 * size].
 */
final class KeyValueCache {
  private static final String[] PARTS = {DecoderNames.KEY, DecoderNames.VALUE};

  private final DecoderShape shape;
  private final int capacity;
  private final List<FloatBuffer> buffers = new ArrayList<>();

  /**
   * @param capacity the most positions of a row
   */
  KeyValueCache(DecoderShape shape, int rows, int capacity) {
    this.shape = shape;
    this.capacity = capacity;
    long bytes = (long) rows * shape.keyValueHeads() * shape.headSize() * capacity * Float.BYTES;
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalStateException(
          "The keys of %d texts of %,d tokens are more than a buffer holds; generate fewer texts at a time, or shorter ones."
              .formatted(rows, capacity));
    }
    for (int i = 0; i < shape.layers() * PARTS.length; i++) {
      buffers.add(direct(rows * rowSize(), Float.BYTES).asFloatBuffer());
    }
  }

  int capacity() {
    return capacity;
  }

  private int rowSize() {
    return shape.keyValueHeads() * shape.headSize() * capacity;
  }

  /** Binds the first rows as past and as present, so that a step adds to them without a copy. */
  void bind(int rows, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs)
      throws OrtException {
    long[] extents = {rows, shape.keyValueHeads(), capacity, shape.headSize()};
    for (int i = 0; i < buffers.size(); i++) {
      int layer = i / PARTS.length;
      String part = PARTS[i % PARTS.length];
      OnnxTensor tensor =
          OnnxTensor.createTensor(
              RuntimeEnvironment.get(), buffers.get(i).slice(0, rows * rowSize()), extents);
      inputs.put(DecoderNames.past(layer, part), tensor);
      outputs.put(DecoderNames.present(layer, part), tensor);
    }
  }

  /** Takes the first positions of a row from a row of another cache, or of this one. */
  void copy(KeyValueCache from, int fromRow, int row, int positions) {
    int size = shape.headSize();
    for (int i = 0; i < buffers.size(); i++) {
      for (int head = 0; head < shape.keyValueHeads(); head++) {
        buffers
            .get(i)
            .put(
                row * rowSize() + head * capacity * size,
                from.buffers.get(i),
                fromRow * from.rowSize() + head * from.capacity * size,
                positions * size);
      }
    }
  }

  /**
   * Memory that the runtime can read and write.
   *
   * @throws IllegalStateException if there is none left
   */
  static ByteBuffer direct(int elements, int bytes) {
    int size = Math.multiplyExact(elements, bytes);
    try {
      return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    } catch (OutOfMemoryError e) {
      // Its limit is one of its own and seldom known; the heap is not what is short of memory.
      throw new IllegalStateException(
          "There is no memory left outside of the Java heap for the buffers of another text (Java says: %s); generate fewer texts at a time, or start Java with a larger -XX:MaxDirectMemorySize, which is otherwise that of the heap."
              .formatted(e.getMessage()),
          e);
    }
  }
}

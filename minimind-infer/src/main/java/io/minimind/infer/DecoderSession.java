package io.minimind.infer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * One text in the making: the keys and values of its tokens so far. Each key and value buffer is
 * bound as past input and as present output alike, so that a step writes only its own positions and
 * nothing is copied. Reusing a session for the next text needs no clearing, because attention looks
 * only at positions that the new text has written.
 */
final class DecoderSession implements AutoCloseable {
  /** Positions computed at once; bounds the logits and attention scores held for a long prompt. */
  private static final int CHUNK = 64;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final int vocabularySize;
  private final int capacity;
  private final Map<String, OnnxTensor> inputs = new HashMap<>();
  private final Map<String, OnnxTensor> outputs = new HashMap<>();
  private final LongBuffer inputIds = direct(CHUNK, Long.BYTES).asLongBuffer();
  private final IntBuffer lastIndex = direct(1, Integer.BYTES).asIntBuffer();
  private final IntBuffer totalLength = direct(1, Integer.BYTES).asIntBuffer();
  private final FloatBuffer logits;
  private int length;

  private DecoderSession(OrtSession session, DecoderShape shape, int capacity) {
    this.session = session;
    this.capacity = capacity;
    vocabularySize = shape.vocabularySize();
    logits = direct(CHUNK * vocabularySize, Float.BYTES).asFloatBuffer();
  }

  /**
   * Allocates the buffers of a session.
   *
   * @param capacity the most tokens the text may have
   */
  static DecoderSession create(OrtSession session, DecoderShape shape, int capacity)
      throws OrtException {
    DecoderSession created = new DecoderSession(session, shape, capacity);
    try {
      created.bind(shape);
      return created;
    } catch (OrtException | RuntimeException | Error e) {
      created.close();
      throw e;
    }
  }

  private void bind(DecoderShape shape) throws OrtException {
    long[] bufferShape = {1, shape.keyValueHeads(), capacity, shape.headSize()};
    int elements = Math.multiplyExact(shape.keyValueHeads() * shape.headSize(), capacity);
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (String part : new String[] {"key", "value"}) {
        FloatBuffer memory = direct(elements, Float.BYTES).asFloatBuffer();
        OnnxTensor buffer = OnnxTensor.createTensor(environment, memory, bufferShape);
        inputs.put(DecoderShape.past(layer, part), buffer);
        outputs.put(DecoderShape.present(layer, part), buffer);
      }
    }
    inputs.put(
        DecoderShape.LAST_INDEX, OnnxTensor.createTensor(environment, lastIndex, new long[] {1}));
    inputs.put(
        DecoderShape.TOTAL_LENGTH,
        OnnxTensor.createTensor(environment, totalLength, new long[] {}));
  }

  int capacity() {
    return capacity;
  }

  /** Begins another text. */
  void reset() {
    length = 0;
  }

  /**
   * Appends tokens to the text.
   *
   * @param ids at least one; the text must not outgrow the capacity
   * @return the logits that follow the last token, {@code [vocabulary]}, valid until the next call
   */
  FloatBuffer append(int... ids) throws OrtException {
    int count = 0;
    for (int start = 0; start < ids.length; start += count) {
      count = Math.min(CHUNK, ids.length - start);
      for (int i = 0; i < count; i++) {
        inputIds.put(i, ids[start + i]);
      }
      run(count);
    }
    return logits.slice((count - 1) * vocabularySize, vocabularySize);
  }

  private void run(int count) throws OrtException {
    length += count;
    lastIndex.put(0, length - 1);
    totalLength.put(0, length);
    long[] idShape = {1, count};
    long[] logitShape = {1, count, vocabularySize};
    FloatBuffer rows = logits.slice(0, count * vocabularySize);
    try (OnnxTensor input =
            OnnxTensor.createTensor(environment, inputIds.slice(0, count), idShape);
        OnnxTensor output = OnnxTensor.createTensor(environment, rows, logitShape)) {
      inputs.put(DecoderShape.INPUT_IDS, input);
      outputs.put(DecoderShape.LOGITS, output);
      session.run(inputs, outputs).close();
    } finally {
      inputs.remove(DecoderShape.INPUT_IDS);
      outputs.remove(DecoderShape.LOGITS);
    }
  }

  @Override
  public void close() {
    inputs.values().forEach(OnnxTensor::close);
  }

  private static ByteBuffer direct(int elements, int bytes) {
    return ByteBuffer.allocateDirect(Math.multiplyExact(elements, bytes))
        .order(ByteOrder.nativeOrder());
  }
}

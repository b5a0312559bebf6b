package io.minimind.infer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
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
  private final KeyValueCache cache;
  private final int[] ids;
  private final LeakGuard guard;
  private final Map<String, OnnxTensor> inputs = new HashMap<>();
  private final Map<String, OnnxTensor> outputs = new HashMap<>();
  private final LongBuffer inputIds = KeyValueCache.direct(CHUNK, Long.BYTES).asLongBuffer();
  private final IntBuffer lastIndex = KeyValueCache.direct(1, Integer.BYTES).asIntBuffer();
  private final IntBuffer totalLength = KeyValueCache.direct(1, Integer.BYTES).asIntBuffer();
  private final FloatBuffer logits;
  private int length;

  private DecoderSession(OrtSession session, DecoderShape shape, int capacity) {
    this.session = session;
    cache = new KeyValueCache(shape, 1, capacity);
    ids = new int[capacity];
    guard = LeakGuard.of(this, "A text of a language model", closing(inputs));
    vocabularySize = shape.vocabularySize();
    logits = KeyValueCache.direct(CHUNK * vocabularySize, Float.BYTES).asFloatBuffer();
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
    cache.bind(1, inputs, outputs);
    inputs.put(
        DecoderShape.LAST_INDEX, OnnxTensor.createTensor(environment, lastIndex, new long[] {1}));
    inputs.put(
        DecoderShape.TOTAL_LENGTH,
        OnnxTensor.createTensor(environment, totalLength, new long[] {}));
  }

  private static Runnable closing(Map<String, OnnxTensor> tensors) {
    return () -> tensors.values().forEach(OnnxTensor::close);
  }

  int capacity() {
    return cache.capacity();
  }

  KeyValueCache cache() {
    return cache;
  }

  /** Number of tokens so far. */
  int length() {
    return length;
  }

  /** Begins another text. */
  void reset() {
    length = 0;
  }

  /** Forgets all tokens but those at the beginning that are also the first of these. */
  void keepCommon(int[] others) {
    int common = Arrays.mismatch(ids, 0, length, others, 0, others.length);
    length = common < 0 ? length : common;
  }

  /** Tells what was appended to the cache by others. */
  void appended(int id) {
    ids[length++] = id;
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
    for (int i = 0; i < count; i++) {
      ids[length++] = (int) inputIds.get(i);
    }
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
    guard.close();
  }
}

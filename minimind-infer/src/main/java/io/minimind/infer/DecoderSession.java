package io.minimind.infer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.minimind.files.DecoderNames;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One text in the making: the keys and values of its tokens so far. Each key and value buffer is
 * bound as past input and as present output alike, so that a step writes only its own positions and
 * nothing is copied, except when a text outgrows its buffers: the next ones are at least twice as
 * long. Reusing a session for the next text needs no clearing, because attention looks only at
 * positions that the new text has written.
 */
final class DecoderSession implements AutoCloseable {
  /**
   * Positions computed at once; bounds the activations and attention scores held for a long prompt.
   */
  static final int CHUNK = 64;

  private final OrtEnvironment environment = RuntimeEnvironment.get();
  private final DecoderShape shape;
  private KeyValueCache cache;
  private int[] ids;
  private final LeakGuard guard;
  private final Map<String, OnnxTensor> inputs = new HashMap<>();
  private final Map<String, OnnxTensor> outputs = new HashMap<>();
  private final LongBuffer inputIds = KeyValueCache.direct(CHUNK, Long.BYTES).asLongBuffer();
  private final IntBuffer lastIndex = KeyValueCache.direct(1, Integer.BYTES).asIntBuffer();
  private final IntBuffer totalLength = KeyValueCache.direct(1, Integer.BYTES).asIntBuffer();
  private final LongBuffer positions = DecoderShape.positions(CHUNK);
  private FloatBuffer values = KeyValueCache.direct(0, Float.BYTES).asFloatBuffer();
  private FloatBuffer following; // null unless it is known what follows all tokens
  private int length;

  private DecoderSession(DecoderShape shape, int capacity) {
    this.shape = shape;
    cache = new KeyValueCache(shape, 1, capacity);
    ids = new int[capacity];
    guard = LeakGuard.of(this, "A chat or a text stream", closing(inputs));
  }

  /**
   * Allocates the buffers of a session.
   *
   * @param capacity how many tokens the text may have before the buffers grow
   */
  static DecoderSession create(DecoderShape shape, int capacity) throws OrtException {
    DecoderSession created = new DecoderSession(shape, capacity);
    try {
      created.bind();
      return created;
    } catch (OrtException | RuntimeException | Error e) {
      created.close();
      throw e;
    }
  }

  private void bind() throws OrtException {
    cache.bind(1, inputs, outputs);
    inputs.put(
        DecoderNames.LAST_POSITION,
        OnnxTensor.createTensor(environment, lastIndex, new long[] {1}));
    inputs.put(
        DecoderNames.TOTAL_LENGTH,
        OnnxTensor.createTensor(environment, totalLength, new long[] {}));
  }

  private static Runnable closing(Map<String, OnnxTensor> tensors) {
    return () -> tensors.values().forEach(OnnxTensor::close);
  }

  int capacity() {
    return cache.capacity();
  }

  /**
   * Makes room for more tokens.
   *
   * @param capacity how many the text may have then
   * @throws IllegalStateException if there is no memory for them; nothing has changed then
   */
  void grow(int capacity) throws OrtException {
    KeyValueCache larger = new KeyValueCache(shape, 1, capacity);
    // In a batch the text may have outgrown the buffers that wait for it here.
    larger.copy(cache, 0, 0, Math.min(length, cache.capacity()));
    inputs.values().forEach(OnnxTensor::close);
    inputs.clear();
    outputs.clear();
    cache = larger;
    makeRoomForIds(capacity);
    bind();
  }

  private void makeRoomForIds(int count) {
    if (ids.length < count) {
      ids = Arrays.copyOf(ids, count);
    }
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
    following = null;
  }

  /** How many tokens at the beginning are also the first of these. */
  int commonBeginning(int[] others, int most) {
    int end = Math.min(most, others.length);
    int common = Arrays.mismatch(ids, 0, length, others, 0, end);
    return common < 0 ? length : common;
  }

  /** Whether all of another text is the beginning of this one. */
  boolean beginsWith(DecoderSession other) {
    return other.commonBeginning(ids, length) == other.length;
  }

  /** Forgets all tokens but those at the beginning that are also the first of these. */
  void keepBeginning(int[] others, int most) {
    length = commonBeginning(others, most);
    following = null;
  }

  /** Becomes the beginning of another text, for which this must have room. */
  void takeFrom(DecoderSession other, int tokens) {
    cache.copy(other.cache, 0, 0, tokens);
    System.arraycopy(other.ids, 0, ids, 0, tokens);
    length = tokens;
    following = null;
  }

  /** Becomes another text, with what follows it; that is valid until the other one goes on. */
  void takeAll(DecoderSession other) {
    takeFrom(other, other.length);
    following = other.following;
  }

  /** The logits that follow all tokens, [vocabulary], if they were computed and still are there. */
  Optional<FloatBuffer> following() {
    return Optional.ofNullable(following);
  }

  /** Tells what was appended to the cache by others. */
  void appended(int id) {
    if (length == ids.length) {
      makeRoomForIds(2 * length);
    }
    ids[length++] = id;
    following = null;
  }

  /**
   * Appends tokens to the text.
   *
   * @param runtime computes, here as in what follows
   * @param ids at least one; there must be room for them
   * @return the logits that follow the last token, {@code [vocabulary]}, valid until the next call
   */
  FloatBuffer append(OrtSession runtime, int... ids) throws OrtException {
    FloatBuffer[] last = new FloatBuffer[1];
    append(runtime, ids, ids.length - 1, DecoderNames.LOGITS, (position, row) -> last[0] = row);
    following = last[0];
    return following;
  }

  /**
   * Appends tokens that others will follow: no logits are computed.
   *
   * @param ids at least one; there must be room for them
   */
  void prefill(OrtSession runtime, int... ids) throws OrtException {
    append(runtime, ids, ids.length, DecoderNames.LOGITS, (position, row) -> {});
  }

  /** Takes what the model computed at a position; the row is valid until the next position. */
  interface Rows {
    void take(int position, FloatBuffer row);
  }

  /** Appends tokens and hands out the logits, [vocabulary], that follow each of them. */
  void score(OrtSession runtime, int[] ids, Rows rows) throws OrtException {
    append(runtime, ids, 0, DecoderNames.LOGITS, rows);
  }

  /** Appends tokens and hands out the hidden state, [hidden size], of each of them. */
  void read(OrtSession runtime, int[] ids, Rows rows) throws OrtException {
    append(runtime, ids, 0, DecoderNames.HIDDEN_STATES, rows);
  }

  /**
   * @param from the first of the added tokens whose row is wanted
   */
  private void append(OrtSession runtime, int[] added, int from, String name, Rows rows)
      throws OrtException {
    following = null;
    boolean logits = name.equals(DecoderNames.LOGITS);
    int width = logits ? shape.vocabularySize() : shape.hiddenSize();
    int count = 0;
    for (int start = 0; start < added.length; start += count) {
      count = Math.min(CHUNK, added.length - start);
      for (int i = 0; i < count; i++) {
        inputIds.put(i, added[start + i]);
      }
      int first = Math.min(count, Math.max(0, from - start));
      int computed = shape.choosesPositions() ? count - first : count;
      makeRoom(computed, width);
      FloatBuffer output = values.slice(0, computed * width);
      if (logits) {
        run(runtime, count, computed, name, output, shape.logits(1, computed));
      } else {
        run(runtime, count, 0, name, output, new long[] {1, computed, width});
      }
      System.arraycopy(added, start, ids, length - count, count);
      for (int i = first; i < count; i++) {
        rows.take(start + i, values.slice((computed - count + i) * width, width));
      }
    }
  }

  /** The room is kept for the next rows, because direct memory is freed only with garbage. */
  private void makeRoom(int rows, int width) {
    int room = Math.multiplyExact(rows > 1 ? CHUNK : rows, width);
    if (values.capacity() < room) {
      values = KeyValueCache.direct(room, Float.BYTES).asFloatBuffer();
    }
  }

  /**
   * @param logits of how many tokens logits are computed, the last ones
   */
  private void run(
      OrtSession runtime, int count, int logits, String name, FloatBuffer rows, long[] extents)
      throws OrtException {
    length += count;
    lastIndex.put(0, length - 1);
    totalLength.put(0, length);
    try (OnnxTensor input =
            OnnxTensor.createTensor(environment, inputIds.slice(0, count), new long[] {1, count});
        OnnxTensor chosen =
            OnnxTensor.createTensor(
                environment, positions.slice(count - logits, logits), new long[] {logits});
        OnnxTensor output = OnnxTensor.createTensor(environment, rows, extents)) {
      inputs.put(DecoderNames.INPUT_IDS, input);
      if (shape.choosesPositions()) {
        inputs.put(DecoderNames.LOGIT_POSITIONS, chosen);
      }
      outputs.put(name, output);
      runtime.run(inputs, outputs).close();
    } finally {
      inputs.remove(DecoderNames.INPUT_IDS);
      inputs.remove(DecoderNames.LOGIT_POSITIONS);
      outputs.remove(name);
    }
  }

  @Override
  public void close() {
    guard.close();
  }
}

package io.minimind.infer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.minimind.files.DecoderNames;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Texts that grow together, one token each in a step. They may differ in length: each row has its
 * own last position. A text enters with the keys and values of its session and leaves with them;
 * the rows in use are always the first ones, so that nothing is computed for the others.
 */
final class DecoderBatch implements AutoCloseable {
  private final DecoderPool pool;
  private final int rows;
  private final int vocabularySize;
  private final LongBuffer inputIds;
  private final IntBuffer lastIndex;
  private final IntBuffer totalLength;
  private final LongBuffer positions;
  private final FloatBuffer logits;
  private final List<DecoderSession> texts = new ArrayList<>();
  private final Map<Integer, Binding> bindings = new HashMap<>();
  private KeyValueCache cache;

  /** The tensors of a step with a certain number of texts. */
  private record Binding(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
    void close() {
      Stream.concat(inputs.values().stream(), outputs.values().stream())
          .distinct()
          .forEach(OnnxTensor::close);
    }
  }

  /**
   * @param rows the most texts at a time
   */
  DecoderBatch(DecoderPool pool, int rows) {
    this.pool = pool;
    this.rows = rows;
    vocabularySize = pool.shape().vocabularySize();
    inputIds = KeyValueCache.direct(rows, Long.BYTES).asLongBuffer();
    lastIndex = KeyValueCache.direct(rows, Integer.BYTES).asIntBuffer();
    totalLength = KeyValueCache.direct(1, Integer.BYTES).asIntBuffer();
    positions = DecoderShape.positions(rows);
    logits =
        KeyValueCache.direct(Math.multiplyExact(rows, vocabularySize), Float.BYTES).asFloatBuffer();
  }

  /** Adds a text as the last row; its buffers must not be used until it leaves. */
  void join(DecoderSession text) {
    makeRoom(text);
    cache.copy(text.cache(), 0, texts.size(), text.length());
    texts.add(text);
  }

  /**
   * Makes room for another token of a text.
   *
   * @throws IllegalStateException if there is no memory for it; nothing has changed then
   */
  void makeRoom(DecoderSession text) {
    if (cache == null || cache.capacity() <= text.length()) {
      grow(pool.capacity(text.length() + 1));
    }
  }

  private void grow(int capacity) {
    KeyValueCache larger = new KeyValueCache(pool.shape(), rows, capacity);
    for (int row = 0; row < texts.size(); row++) {
      larger.copy(cache, row, row, texts.get(row).length());
    }
    cache = larger;
    close();
  }

  /** Removes a text, whose place the last one takes. */
  void leave(int row) {
    DecoderSession text = texts.get(row);
    try {
      pool.makeRoom(text, text.length());
      text.cache().copy(cache, row, 0, text.length());
    } catch (OrtException | IllegalStateException e) {
      text.reset(); // There is no memory to keep it in.
    }
    DecoderSession last = texts.remove(texts.size() - 1);
    if (row < texts.size()) {
      cache.copy(cache, texts.size(), row, last.length());
      texts.set(row, last);
    }
  }

  /**
   * Appends a token to each text.
   *
   * @param ids by row
   */
  void step(int[] ids) {
    int longest = 0;
    for (int row = 0; row < texts.size(); row++) {
      inputIds.put(row, ids[row]);
      lastIndex.put(row, texts.get(row).length());
      longest = Math.max(longest, texts.get(row).length() + 1);
    }
    totalLength.put(0, longest);
    pool.compute(
        session -> {
          Binding binding = binding();
          session.run(binding.inputs, binding.outputs).close();
          return binding;
        });
    for (int row = 0; row < texts.size(); row++) {
      texts.get(row).appended(ids[row]);
    }
  }

  /** The logits of a row that follow the last step, [vocabulary], valid until the next. */
  FloatBuffer logits(int row) {
    return logits.slice(row * vocabularySize, vocabularySize);
  }

  private Binding binding() throws OrtException {
    Binding binding = bindings.get(texts.size());
    if (binding == null) {
      binding = new Binding(new HashMap<>(), new HashMap<>());
      try {
        bind(texts.size(), binding);
      } catch (OrtException | RuntimeException | Error e) {
        binding.close();
        throw e;
      }
      bindings.put(texts.size(), binding);
    }
    return binding;
  }

  private void bind(int size, Binding binding) throws OrtException {
    OrtEnvironment environment = RuntimeEnvironment.get();
    cache.bind(size, binding.inputs, binding.outputs);
    binding.inputs.put(
        DecoderNames.INPUT_IDS,
        OnnxTensor.createTensor(environment, inputIds.slice(0, size), new long[] {size, 1}));
    binding.inputs.put(
        DecoderNames.LAST_POSITION,
        OnnxTensor.createTensor(environment, lastIndex.slice(0, size), new long[] {size}));
    binding.inputs.put(
        DecoderNames.TOTAL_LENGTH,
        OnnxTensor.createTensor(environment, totalLength, new long[] {}));
    if (pool.shape().choosesPositions()) {
      binding.inputs.put(
          DecoderNames.LOGIT_POSITIONS,
          OnnxTensor.createTensor(environment, positions.slice(0, size), new long[] {size}));
    }
    binding.outputs.put(
        DecoderNames.LOGITS,
        OnnxTensor.createTensor(
            environment, logits.slice(0, size * vocabularySize), pool.shape().logits(size, 1)));
  }

  @Override
  public void close() {
    bindings.values().forEach(Binding::close);
    bindings.clear();
  }
}

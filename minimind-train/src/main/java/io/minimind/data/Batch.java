package io.minimind.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What one training step reads: inputs, labels and loss mask, each [rows, length], row-major, in
 * direct buffers of native byte order. A row that is shorter than the batch goes on with its last
 * id, which has no label, and then with id 0; the labels and the mask there are 0.
 *
 * <p>Closing a batch lets a loader use its buffers again; it must not be read afterwards.
 */
public final class Batch implements AutoCloseable {
  private final LongBuffer inputIds;
  private final LongBuffer labels;
  private final FloatBuffer lossMask;
  private final FloatBuffer reference;
  private final Consumer<Batch> release;
  private int rows;
  private int length;
  private long targets;
  private boolean paired;

  private Batch(int rows, int length, Consumer<Batch> release) {
    int capacity = Math.multiplyExact(rows, length);
    inputIds = direct(capacity, Long.BYTES).asLongBuffer();
    labels = direct(capacity, Long.BYTES).asLongBuffer();
    lossMask = direct(capacity, Float.BYTES).asFloatBuffer();
    reference = direct(rows, Float.BYTES).asFloatBuffer();
    this.release = release;
  }

  /** A batch of up to {@code rows} rows of up to {@code length} positions. */
  static Batch allocate(int rows, int length, Consumer<Batch> release) {
    return new Batch(rows, length, release);
  }

  /**
   * A batch of given values, each array [rows, length], row-major.
   *
   * @throws IllegalArgumentException if an array is not rows·length long
   */
  public static Batch of(int rows, int length, long[] inputIds, long[] labels, float[] lossMask) {
    int size = Math.multiplyExact(rows, length);
    if (inputIds.length != size || labels.length != size || lossMask.length != size) {
      throw new IllegalArgumentException(
          String.format(
              "A batch of %d rows of %d needs %d values, got %d ids, %d labels and %d mask values.",
              rows, length, size, inputIds.length, labels.length, lossMask.length));
    }
    Batch batch = new Batch(rows, length, unused -> {});
    batch.shape(rows, length);
    batch.inputIds.put(0, inputIds);
    batch.labels.put(0, labels);
    batch.lossMask.put(0, lossMask);
    for (float mask : lossMask) {
      batch.targets += mask != 0 ? 1 : 0;
    }
    return batch;
  }

  /**
   * A batch of pairs, a chosen and a rejected row in turn.
   *
   * @param reference log-probability of each row's targets under the reference model, [rows]
   * @throws IllegalArgumentException if an array has not the length that it should have
   */
  public static Batch ofPairs(
      int rows, int length, long[] inputIds, long[] labels, float[] lossMask, float[] reference) {
    if (rows % 2 != 0 || reference.length != rows) {
      throw new IllegalArgumentException(
          String.format(
              "A batch of pairs needs an even number of rows and a reference for each, got %d rows"
                  + " and %d references.",
              rows, reference.length));
    }
    Batch batch = of(rows, length, inputIds, labels, lossMask);
    batch.reference.put(0, reference);
    batch.paired = true;
    return batch;
  }

  /** Input token ids, int64 [rows, length]. Its position is 0, its limit rows·length. */
  public LongBuffer inputIds() {
    return inputIds;
  }

  /** The token that follows each input, int64 [rows, length]. */
  public LongBuffer labels() {
    return labels;
  }

  /** 1 where the label counts in the loss, else 0, float32 [rows, length]. */
  public FloatBuffer lossMask() {
    return lossMask;
  }

  /**
   * Log-probability of each row's targets under the reference model, float32 [rows], where the rows
   * are pairs.
   */
  public Optional<FloatBuffer> reference() {
    return paired ? Optional.of(reference) : Optional.empty();
  }

  /** What the loss is a mean of: pairs where the rows are pairs, else {@link #targets}. */
  public long lossTerms() {
    return paired ? rows / 2 : targets;
  }

  /** Number of rows. */
  public int rows() {
    return rows;
  }

  /** Number of positions of each row. */
  public int length() {
    return length;
  }

  /** Number of positions whose label counts in the loss. */
  public long targets() {
    return targets;
  }

  /** Lets the loader that made this batch fill it anew. */
  @Override
  public void close() {
    release.accept(this);
  }

  /**
   * Fills the batch with samples, padded to the longest of them or to a length.
   *
   * @param padTo the least length of the batch
   * @param ids scratch space for the ids of one sample
   * @param flags scratch space for its targets
   */
  void fill(Samples samples, long[] numbers, int padTo, int[] ids, boolean[] flags)
      throws IOException {
    int longest = Math.max(padTo, 1);
    for (long number : numbers) {
      longest = Math.max(longest, samples.length(number) - 1);
    }
    shape(numbers.length, longest);
    targets = 0;
    paired = samples.groupSize() == 2;
    for (int row = 0; row < rows; row++) {
      int count = samples.read(numbers[row], ids, flags) - 1;
      reference.put(row, samples.referenceLogProbability(numbers[row]));
      int start = row * length;
      for (int i = 0; i < count; i++) {
        put(start + i, ids[i], ids[i + 1], flags[i + 1]);
      }
      for (int i = count; i < length; i++) {
        put(start + i, i == count ? ids[i] : 0, 0, false);
      }
    }
  }

  private void put(int position, int input, int label, boolean target) {
    inputIds.put(position, input);
    labels.put(position, label);
    lossMask.put(position, target ? 1f : 0f);
    targets += target ? 1 : 0;
  }

  private void shape(int rows, int length) {
    this.rows = rows;
    this.length = length;
    inputIds.clear().limit(rows * length);
    labels.clear().limit(rows * length);
    lossMask.clear().limit(rows * length);
    reference.clear().limit(rows);
  }

  private static ByteBuffer direct(int capacity, int bytes) {
    return ByteBuffer.allocateDirect(Math.multiplyExact(capacity, bytes))
        .order(ByteOrder.nativeOrder());
  }
}

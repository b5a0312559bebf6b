package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.graph.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What one training step reads: named tensors, row-major, in direct buffers of native byte order.
 * Every batch has {@link BatchInput#ALWAYS}, and what the columns of its samples are. A row that is
 * shorter than the batch goes on with its last id, which has no label, and then with id 0; labels
 * and mask there are 0, other values what their input is padded with.
 *
 * <p>Closing a batch lets a loader use its buffers again; it must not be read afterwards.
 */
public final class Batch implements AutoCloseable {

  /**
   * One tensor of a batch.
   *
   * @param memory its values from position 0 on, and room for those of a larger batch
   */
  public record Part(BatchInput input, ByteBuffer memory) {

    private static Part allocate(BatchInput input, int rows, int groups, int length) {
      int bytes = input.type().bytes();
      for (long extent : input.shape(rows, groups, length)) {
        bytes = Math.multiplyExact(bytes, Math.toIntExact(extent));
      }
      return new Part(input, ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()));
    }
  }

  private final Map<String, Part> parts = new LinkedHashMap<>();
  private final LongBuffer inputIds;
  private final LongBuffer labels;
  private final FloatBuffer lossMask;
  private final List<Column> columns = new ArrayList<>();
  private final int groupSize;
  private final Consumer<Batch> release;
  private int rows;
  private int length;
  private long targets;

  private Batch(
      int rows, int length, int groupSize, List<BatchInput> columns, Consumer<Batch> release) {
    this.groupSize = groupSize;
    this.release = release;
    for (BatchInput input : BatchInput.ALWAYS) {
      add(Part.allocate(input, rows, rows / groupSize, length));
    }
    for (BatchInput input : columns) {
      Part part = Part.allocate(input, rows, rows / groupSize, length);
      add(part);
      this.columns.add(Column.of(part));
    }
    inputIds = part(BatchInput.INPUT_IDS).memory().asLongBuffer();
    labels = part(BatchInput.LABELS).memory().asLongBuffer();
    lossMask = part(BatchInput.LOSS_MASK).memory().asFloatBuffer();
  }

  private void add(Part part) {
    if (parts.put(part.input().name(), part) != null) {
      throw new IllegalArgumentException(
          "A batch cannot have two inputs named %s.".formatted(part.input().name()));
    }
  }

  /** A batch of up to so many rows of these samples. */
  static Batch allocate(Samples samples, int rows, int length, Consumer<Batch> release) {
    return new Batch(rows, length, samples.groupSize(), samples.columns(), release);
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
    Batch batch = new Batch(rows, length, 1, List.of(), unused -> {});
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
   * A batch of samples, padded to the longest of them.
   *
   * @param numbers of samples, those that belong together after one another
   * @throws IOException if the samples cannot be read
   */
  public static Batch of(Samples samples, long... numbers) throws IOException {
    Batch batch = allocate(samples, numbers.length, samples.longest() - 1, unused -> {});
    batch.fill(samples, numbers, 0, new Scratch(samples));
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

  /** All inputs that it has. */
  public Collection<Part> parts() {
    return parts.values();
  }

  /** The input of a name, if it has one. */
  public Optional<Part> part(String name) {
    return Optional.ofNullable(parts.get(name));
  }

  private Part part(BatchInput input) {
    return parts.get(input.name());
  }

  /** The shape of an input of this batch. */
  public long[] shape(BatchInput input) {
    return input.shape(rows, rows / groupSize, length);
  }

  /**
   * How many there are of what a loss or a metric is a mean over: positions that count in the loss,
   * rows, or groups.
   */
  public long count(Extent extent) {
    return switch (extent) {
      case TOKEN -> targets;
      case ROW -> rows;
      case GROUP -> rows / groupSize;
    };
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

  /** Room for one sample. */
  static final class Scratch {
    private final int[] ids;
    private final boolean[] targets;
    private final float[] values;

    Scratch(Samples samples) {
      ids = new int[samples.longest()];
      targets = new boolean[samples.longest()];
      int most = 0;
      for (BatchInput column : samples.columns()) {
        most = Math.max(most, SamplesInMemory.values(column, samples.longest()));
      }
      values = new float[most];
    }
  }

  /**
   * Fills the batch with samples, padded to the longest of them or to a length.
   *
   * @param padTo the least length of the batch
   */
  void fill(Samples samples, long[] numbers, int padTo, Scratch scratch) throws IOException {
    int longest = Math.max(padTo, 1);
    for (long number : numbers) {
      longest = Math.max(longest, samples.length(number) - 1);
    }
    shape(numbers.length, longest);
    targets = 0;
    int[] ids = scratch.ids;
    for (int row = 0; row < rows; row++) {
      int count = samples.read(numbers[row], ids, scratch.targets) - 1;
      int start = row * length;
      for (int i = 0; i < count; i++) {
        put(start + i, ids[i], ids[i + 1], scratch.targets[i + 1]);
      }
      for (int i = count; i < length; i++) {
        put(start + i, i == count ? ids[i] : 0, 0, false);
      }
      for (int column = 0; column < columns.size(); column++) {
        samples.readColumn(numbers[row], column, scratch.values);
        columns.get(column).fill(row, groupSize, count, length, scratch.values);
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
  }

  /** What a part is filled with, a row at a time. */
  private abstract static class Column {
    private final BatchInput input;

    private Column(BatchInput input) {
      this.input = input;
    }

    static Column of(Part part) {
      if (part.input().type() == ElementType.INT64) {
        LongBuffer memory = part.memory().asLongBuffer();
        return new Column(part.input()) {
          @Override
          void put(int index, float value) {
            memory.put(index, (long) value);
          }
        };
      }
      FloatBuffer memory = part.memory().asFloatBuffer();
      return new Column(part.input()) {
        @Override
        void put(int index, float value) {
          memory.put(index, value);
        }
      };
    }

    abstract void put(int index, float value);

    /**
     * @param count positions of the row that have a label
     * @param values of the sample
     */
    void fill(int row, int groupSize, int count, int length, float[] values) {
      int width = input.width();
      switch (input.extent()) {
        case TOKEN -> {
          int start = row * length * width;
          for (int i = 0; i < count * width; i++) {
            put(start + i, values[width + i]);
          }
          for (int i = count * width; i < length * width; i++) {
            put(start + i, input.padding());
          }
        }
        case ROW -> fill(row, values);
        case GROUP -> {
          if (row % groupSize == 0) {
            fill(row / groupSize, values);
          }
        }
      }
    }

    private void fill(int index, float[] values) {
      int width = input.width();
      for (int i = 0; i < width; i++) {
        put(index * width + i, values[i]);
      }
    }
  }
}

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
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/**
 * What one training step reads: named tensors, row-major, in direct buffers of native byte order.
 * Every batch has {@link BatchInput#ALWAYS} and {@link BatchInput#POSITION_IN_SAMPLE}, and what the
 * columns of its samples are. A row is a sample, or several one after the other. One that is
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
  private final LongBuffer positionsInSample;
  private final List<Column> columns = new ArrayList<>();
  private final int groupSize;
  private final Consumer<Batch> release;
  private int rows;
  private int length;
  private long filled;
  private long targets;

  private Batch(
      int rows, int length, int groupSize, List<BatchInput> columns, Consumer<Batch> release) {
    this.groupSize = groupSize;
    this.release = release;
    for (BatchInput input : BatchInput.ALWAYS) {
      add(Part.allocate(input, rows, rows / groupSize, length));
    }
    add(Part.allocate(BatchInput.POSITION_IN_SAMPLE, rows, rows / groupSize, length));
    for (BatchInput input : columns) {
      Part part = Part.allocate(input, rows, rows / groupSize, length);
      add(part);
      this.columns.add(Column.of(part));
    }
    inputIds = part(BatchInput.INPUT_IDS).memory().asLongBuffer();
    labels = part(BatchInput.LABELS).memory().asLongBuffer();
    lossMask = part(BatchInput.LOSS_MASK).memory().asFloatBuffer();
    positionsInSample = part(BatchInput.POSITION_IN_SAMPLE).memory().asLongBuffer();
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
    for (int i = 0; i < size; i++) {
      batch.positionsInSample.put(i, i % length);
      batch.targets += lossMask[i] != 0 ? 1 : 0;
    }
    batch.filled = size;
    return batch;
  }

  /**
   * A batch of samples, padded to the longest of them.
   *
   * @param numbers of samples, those that belong together after one another
   * @throws IOException if the samples cannot be read
   */
  public static Batch of(Samples samples, long... numbers) throws IOException {
    long[][] rows =
        LongStream.of(numbers).mapToObj(number -> new long[] {number}).toArray(long[][]::new);
    return of(samples, rows);
  }

  /**
   * A batch of samples of which several may share a row, padded to the longest row.
   *
   * @param rows of each row the numbers of its samples in their order
   * @throws IOException if the samples cannot be read
   */
  public static Batch of(Samples samples, long[][] rows) throws IOException {
    int longest = Arrays.stream(rows).mapToInt(row -> positions(samples, row)).max().orElse(0);
    Batch batch = allocate(samples, rows.length, longest, unused -> {});
    batch.fill(samples, rows, 0, new Scratch(samples));
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

  /** Number of positions that a sample has; the others are padding. */
  public long filled() {
    return filled;
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

  /** The positions that samples take which stand one after the other. */
  static int positions(Samples samples, long[] numbers) {
    return LongStream.of(numbers).mapToInt(number -> samples.length(number) - 1).sum();
  }

  /**
   * Fills the batch with samples, padded to the longest row or to a length.
   *
   * @param content of each row the numbers of its samples
   * @param padTo the least length of the batch
   */
  void fill(Samples samples, long[][] content, int padTo, Scratch scratch) throws IOException {
    int longest = Math.max(padTo, 1);
    for (long[] row : content) {
      longest = Math.max(longest, positions(samples, row));
    }
    shape(content.length, longest);
    targets = 0;
    filled = 0;
    for (int row = 0; row < rows; row++) {
      int end = 0;
      int lastId = 0;
      for (long number : content[row]) {
        int count = append(samples, number, row, end, scratch);
        end += count;
        lastId = scratch.ids[count];
      }
      pad(row, end, lastId);
      filled += end;
    }
  }

  /** Puts a sample into a row from a position on, and gives how many positions it takes. */
  private int append(Samples samples, long number, int row, int from, Scratch scratch)
      throws IOException {
    int[] ids = scratch.ids;
    int count = samples.read(number, ids, scratch.targets) - 1;
    int start = row * length + from;
    for (int i = 0; i < count; i++) {
      put(start + i, ids[i], ids[i + 1], scratch.targets[i + 1], i);
    }
    for (int column = 0; column < columns.size(); column++) {
      samples.readColumn(number, column, scratch.values);
      columns.get(column).fill(row, groupSize, start, count, scratch.values);
    }
    return count;
  }

  private void pad(int row, int from, int lastId) {
    int start = row * length;
    for (int i = from; i < length; i++) {
      put(start + i, i == from ? lastId : 0, 0, false, 0);
    }
    for (Column column : columns) {
      column.pad(start + from, start + length);
    }
  }

  private void put(int position, int input, int label, boolean target, int inSample) {
    inputIds.put(position, input);
    labels.put(position, label);
    lossMask.put(position, target ? 1f : 0f);
    positionsInSample.put(position, inSample);
    targets += target ? 1 : 0;
  }

  private void shape(int rows, int length) {
    this.rows = rows;
    this.length = length;
    inputIds.clear().limit(rows * length);
    labels.clear().limit(rows * length);
    lossMask.clear().limit(rows * length);
    positionsInSample.clear().limit(rows * length);
  }

  /** What a part is filled with, a sample at a time. */
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
     * @param start the first position of the sample, of all of the batch
     * @param count positions of the sample
     * @param values of the sample
     */
    void fill(int row, int groupSize, int start, int count, float[] values) {
      int width = input.width();
      switch (input.extent()) {
        case TOKEN -> {
          for (int i = 0; i < count * width; i++) {
            put(start * width + i, values[width + i]);
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

    /** Positions, of all of the batch, that no sample has. */
    void pad(int start, int end) {
      if (input.extent() == Extent.TOKEN) {
        for (int i = start * input.width(); i < end * input.width(); i++) {
          put(i, input.padding());
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

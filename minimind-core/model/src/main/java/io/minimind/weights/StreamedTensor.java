package io.minimind.weights;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * A tensor of some file whose values are read as float32, piece by piece and only when asked for,
 * so that its size is no matter.
 *
 * @param name unique in its source
 * @param shape the extents, outermost first; empty for a scalar
 * @param type what the file calls the type of the elements, for messages
 * @param values where they come from
 */
public record StreamedTensor(String name, List<Long> shape, String type, Values values) {

  /** Rows are read in pieces of about this many elements. */
  private static final int PIECE = 1 << 18;

  /** The elements of a tensor in row-major order. */
  @FunctionalInterface
  public interface Values {

    /**
     * Reads elements.
     *
     * @param first the index of the first of them
     * @param into where they are put, from {@code offset} on
     * @param count how many; all of them exist
     * @throws IOException with one sentence, if the file cannot be read
     */
    void read(long first, float[] into, int offset, int count) throws IOException;
  }

  /** What is done with a piece of a tensor. */
  @FunctionalInterface
  public interface Piece {

    /**
     * @param values the elements are its first {@code count}; used again for the next piece
     */
    void accept(float[] values, int count) throws IOException;
  }

  public StreamedTensor {
    shape = List.copyOf(shape);
    elements(name, shape);
  }

  /** A tensor that holds the given values. */
  public static StreamedTensor of(String name, float[] values, long... shape) {
    return new StreamedTensor(
        name,
        Arrays.stream(shape).boxed().toList(),
        "F32",
        (first, into, offset, count) -> System.arraycopy(values, (int) first, into, offset, count));
  }

  /** A tensor of a safetensors file; types that are no numbers of up to 64 bits have no values. */
  public static StreamedTensor of(NamedTensor tensor) {
    return new StreamedTensor(
        tensor.name(),
        Arrays.stream(tensor.shape()).boxed().toList(),
        tensor.type().safetensorsName(),
        NumberType.of(tensor.type()).values(tensor.data()));
  }

  /**
   * Weights are no whole numbers: where a file says so, it holds something else, or quantized ones.
   *
   * @throws IOException if the elements are whole numbers or truth values
   */
  public void requireReal() throws IOException {
    if (type.matches("(?i)U?INT[0-9]+|[IU][0-9]+|BOOL")) {
      throw new IOException(
          "The tensor " + this + " holds whole numbers, which are no weights of a model.");
    }
  }

  /** The number of elements. */
  public long elements() {
    return elements(name, shape);
  }

  /** The number of rows: the first extent, 1 for a scalar. */
  public long rows() {
    return shape.isEmpty() ? 1 : shape.get(0);
  }

  /** The number of elements of a row. */
  public long rowElements() {
    return rows() == 0 ? 0 : elements() / rows();
  }

  /** The same under another name. */
  public StreamedTensor named(String other) {
    return new StreamedTensor(other, shape, type, values);
  }

  /** The same elements in another shape. */
  public StreamedTensor shaped(Long... other) {
    StreamedTensor shaped = new StreamedTensor(name, List.of(other), type, values);
    if (shaped.elements() != elements()) {
      throw new IllegalArgumentException(this + " has not the elements of " + shaped);
    }
    return shaped;
  }

  /** The rows from {@code start} on. */
  public StreamedTensor rows(long start, long count) {
    long skipped = start * rowElements();
    return new StreamedTensor(
        name,
        withRows(count),
        type,
        (first, into, offset, number) -> values.read(skipped + first, into, offset, number));
  }

  /** The part of a stack of tensors with this index along the first dimension. */
  public StreamedTensor part(long index) {
    StreamedTensor one = rows(index, 1);
    return new StreamedTensor(name, shape.subList(1, shape.size()), type, one.values);
  }

  /** The same rows in another order: row {@code i} is row {@code from(i)} of this. */
  public StreamedTensor reordered(LongUnaryOperator from) {
    long width = rowElements();
    return new StreamedTensor(
        name,
        shape,
        type,
        (first, into, offset, count) -> {
          int done = 0;
          while (done < count) {
            long row = (first + done) / width;
            long column = (first + done) % width;
            int piece = (int) Math.min(count - done, width - column);
            values.read(from.applyAsLong(row) * width + column, into, offset + done, piece);
            done += piece;
          }
        });
  }

  /** Hands over all elements in order, in pieces of whole rows where rows are not very long. */
  public void forEachPiece(Piece piece) throws IOException {
    long width = Math.max(1, rowElements());
    int length = (int) (width >= PIECE ? PIECE : PIECE / width * width);
    float[] buffer = new float[(int) Math.min(length, elements())];
    for (long first = 0; first < elements(); first += buffer.length) {
      int count = (int) Math.min(buffer.length, elements() - first);
      values.read(first, buffer, 0, count);
      piece.accept(buffer, count);
    }
  }

  /**
   * All elements.
   *
   * @throws IOException if there are more than an array can hold
   */
  public float[] load() throws IOException {
    if (elements() > Integer.MAX_VALUE - 8) {
      throw new IOException("The tensor " + this + " is too large to be held at once.");
    }
    float[] all = new float[(int) elements()];
    values.read(0, all, 0, all.length);
    return all;
  }

  /** Name, type and shape, for messages. */
  @Override
  public String toString() {
    return name + " " + type + shape;
  }

  private List<Long> withRows(long count) {
    Long[] other = shape.toArray(Long[]::new);
    other[0] = count;
    return List.of(other);
  }

  private static long elements(String name, List<Long> shape) {
    long elements = 1;
    for (long extent : shape) {
      if (extent < 0 || extent > 0 && elements > Long.MAX_VALUE / extent) {
        throw new IllegalArgumentException(
            "tensor %s has the impossible shape %s".formatted(name, shape));
      }
      elements *= extent;
    }
    return elements;
  }
}

package io.minimind.weights;

import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * A tensor with its values, as files hold it. Two tensors are equal when name, type, shape and
 * every bit of the data are.
 *
 * @param name unique in its file
 * @param type the type of the elements
 * @param shape the extents, outermost first; empty for a scalar
 * @param data the elements, contiguous, row-major, little-endian: the remaining bytes of the
 *     buffer, which is viewed and not copied. The accessor gives a fresh read-only view each time.
 */
public record NamedTensor(String name, ElementType type, long[] shape, ByteBuffer data) {

  /**
   * @throws IllegalArgumentException if an extent is negative or the data has not exactly the bytes
   *     that type and shape ask for
   */
  public NamedTensor {
    Objects.requireNonNull(name, "name");
    shape = shape.clone();
    data = data.slice().asReadOnlyBuffer();
    long bytes = bytes(name, type, shape);
    if (data.capacity() != bytes) {
      throw new IllegalArgumentException(
          "tensor %s needs %d bytes but has %d"
              .formatted(describe(name, type, shape), bytes, data.capacity()));
    }
  }

  /**
   * A float32 tensor that holds a copy of the values.
   *
   * @throws IllegalArgumentException if the shape has another number of elements
   */
  public static NamedTensor ofFloats(String name, float[] values, long... shape) {
    ByteBuffer data =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return new NamedTensor(name, ElementType.FLOAT32, shape, data);
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The elements as a read-only view.
   *
   * @throws IllegalStateException if the type is not float32
   */
  public FloatBuffer floats() {
    if (type != ElementType.FLOAT32) {
      throw new IllegalStateException("tensor " + this + " does not hold float32 values");
    }
    return data().asFloatBuffer();
  }

  /** The number of elements: the product of the shape, 1 for a scalar. */
  public long elements() {
    return data.capacity() / type.bytes();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NamedTensor that
        && name.equals(that.name)
        && type == that.type
        && Arrays.equals(shape, that.shape)
        && data.equals(that.data);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, type, Arrays.hashCode(shape));
  }

  /** Name, type and shape, for messages. */
  @Override
  public String toString() {
    return describe(name, type, shape);
  }

  private static String describe(String name, ElementType type, long[] shape) {
    return name + " " + type.name().toLowerCase(Locale.ROOT) + Arrays.toString(shape);
  }

  private static long bytes(String name, ElementType type, long[] shape) {
    try {
      long bytes = type.bytes();
      for (long extent : shape) {
        if (extent < 0) {
          throw new IllegalArgumentException(
              "tensor " + describe(name, type, shape) + " has a negative extent");
        }
        bytes = Math.multiplyExact(bytes, extent);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "tensor " + describe(name, type, shape) + " is larger than any file", e);
    }
  }
}

package io.minimind.weights;

import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * Matrices in 4 or 8 bits a weight. Each row is cut into blocks of {@link #BLOCK}; the last block
 * of a row may be shorter and is filled up. A block has one float32 scale and no offset: with
 * {@code b} bits and {@code e} the weight of the largest magnitude,
 *
 * <pre>
 *   scale = -e / 2^(b-1)
 *   value = round(weight / scale) + 2^(b-1), cut to [0, 2^b - 1]
 *   weight ≈ (value - 2^(b-1)) · scale
 * </pre>
 *
 * so that {@code e} is kept exactly but for the rounding of the scale, and no weight is off by more
 * than half the scale, except for those of the opposite sign that come within half a scale of
 * {@code -e} and are cut: they are off by one scale at most. Halves round up. This is what ONNX
 * Runtime's own quantizer computes.
 *
 * <p>The values of a row lie one after the other; with 4 bits two share a byte, the first in its
 * lower half.
 */
public final class BlockQuantization {

  /** Weights with one scale. */
  public static final int BLOCK = 32;

  private final int bits;

  /**
   * @param bits 4 or 8
   */
  public BlockQuantization(int bits) {
    if (bits != 4 && bits != 8) {
      throw new ArgumentException("Weights can have 4 or 8 bits, not " + bits + ".");
    }
    this.bits = bits;
  }

  /** The name of the values of a matrix. */
  public static String values(String matrix) {
    return matrix + ".values";
  }

  /** The name of the scales of a matrix. */
  public static String scales(String matrix) {
    return matrix + ".scales";
  }

  /** The number of blocks in a row of this many weights. */
  public static long blocks(long width) {
    return (width + BLOCK - 1) / BLOCK;
  }

  /** The bytes of a block. */
  public int blockBytes() {
    return BLOCK * bits / Byte.SIZE;
  }

  /**
   * Quantizes a matrix.
   *
   * @param matrix float32 [rows, width]
   * @return {@code NAME.values}, uint8 [rows, blocks of a row, bytes of a block], and {@code
   *     NAME.scales}, float32 [rows, blocks of a row]
   * @throws IllegalArgumentException if a weight is infinite or not a number
   */
  public List<NamedTensor> quantize(NamedTensor matrix) {
    FloatBuffer weights = matrix.floats();
    int rows = Math.toIntExact(matrix.shape()[0]);
    int width = Math.toIntExact(matrix.shape()[1]);
    int blocks = (int) blocks(width);
    byte[] values = new byte[Math.multiplyExact(rows * blocks, blockBytes())];
    ByteBuffer scales =
        ByteBuffer.allocate(rows * blocks * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int block = 0; block < rows * blocks; block++) {
      int start = block / blocks * width + block % blocks * BLOCK;
      int length = Math.min(BLOCK, width - block % blocks * BLOCK);
      float scale = scale(matrix, weights, start, length);
      scales.putFloat(scale);
      float inverse = scale == 0 ? 0 : 1 / scale;
      for (int i = 0; i < BLOCK; i++) {
        float weight = i < length ? weights.get(start + i) : 0;
        put(values, block, i, Math.round(weight * inverse + offset()));
      }
    }
    return List.of(
        new NamedTensor(
            values(matrix.name()),
            ElementType.UINT8,
            new long[] {rows, blocks, blockBytes()},
            ByteBuffer.wrap(values)),
        new NamedTensor(
            scales(matrix.name()), ElementType.FLOAT32, new long[] {rows, blocks}, scales.flip()));
  }

  /**
   * Quantizes a matrix that is read piece by piece: what {@link #quantize(NamedTensor)} gives, in
   * the same order. The values are to be written before the scales.
   *
   * @throws IllegalArgumentException if a weight is infinite or not a number, when it is read
   */
  public List<SafetensorsFile.Part> quantize(StreamedTensor matrix) {
    long rows = matrix.rows();
    long width = matrix.rowElements();
    long blocks = blocks(width);
    ByteBuffer scales =
        ByteBuffer.allocate(Math.toIntExact(rows * blocks * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    return List.of(
        new SafetensorsFile.Part(
            values(matrix.name()),
            ElementType.UINT8,
            List.of(rows, blocks, (long) blockBytes()),
            channel -> {
              scales.clear();
              long step = Math.max(1, (1 << 18) / Math.max(1, width));
              for (long row = 0; row < rows; row += step) {
                StreamedTensor some = matrix.rows(row, Math.min(step, rows - row));
                NamedTensor piece =
                    NamedTensor.ofFloats(matrix.name(), some.load(), some.rows(), width);
                List<NamedTensor> quantized = quantize(piece);
                AtomicFile.write(channel, quantized.get(0).data());
                scales.put(quantized.get(1).data());
              }
            }),
        new SafetensorsFile.Part(
            scales(matrix.name()),
            ElementType.FLOAT32,
            List.of(rows, blocks),
            channel -> AtomicFile.write(channel, scales.duplicate().flip())));
  }

  private float scale(NamedTensor matrix, FloatBuffer weights, int start, int length) {
    float extreme = 0;
    for (int i = start; i < start + length; i++) {
      float weight = weights.get(i);
      if (!Float.isFinite(weight)) {
        throw new ArgumentException(
            "The weight %d of %s is %s, which cannot be quantized: its training diverged, so use"
                    .formatted(i, matrix.name(), weight)
                + " an earlier checkpoint.");
      }
      if (Math.abs(weight) > Math.abs(extreme)) {
        extreme = weight;
      }
    }
    float scale = -extreme / offset();
    // Below that, its inverse is beyond a float.
    return Math.abs(scale) < Float.MIN_NORMAL ? 0 : scale;
  }

  /** The value that stands for zero. */
  private int offset() {
    return 1 << (bits - 1);
  }

  private void put(byte[] values, int block, int index, int value) {
    int cut = Math.max(0, Math.min((1 << bits) - 1, value));
    // The position in bits from the start of all values would overflow.
    int position = index * bits;
    values[block * blockBytes() + position / Byte.SIZE] |= (byte) (cut << position % Byte.SIZE);
  }
}

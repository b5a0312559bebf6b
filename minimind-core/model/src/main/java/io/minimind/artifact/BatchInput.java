package io.minimind.artifact;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A named tensor of a batch: float32 or int64, of shape {@code [rows, length]} for a value a token,
 * {@code [rows]} for a value a row, {@code [groups]} for a value a group, and one more axis of
 * {@code width} where there are several.
 *
 * <p>Values of tokens stand where labels do: that of a sample's token {@code i} lies where the
 * label is token {@code i}, which is position {@code i - 1} of the row.
 *
 * @param name of the graph's input
 * @param type float32 or int64
 * @param width values of each token, row or group, at least 1; they have an axis from 2 on
 * @param padding what stands where a row is shorter than its batch
 */
public record BatchInput(String name, ElementType type, Extent extent, int width, float padding) {

  /** What the model reads, and every batch has. */
  public static final BatchInput INPUT_IDS = longs("input_ids", Extent.TOKEN);

  /** The token that follows each input, which every batch has. */
  public static final BatchInput LABELS = longs("labels", Extent.TOKEN);

  /** 1 where the label counts in the loss, else 0, which every batch has. */
  public static final BatchInput LOSS_MASK = floats("loss_mask", Extent.TOKEN);

  /**
   * Where in its own sample each position is, from 0. An objective that has it among its inputs
   * learns from packed rows, in which several samples stand one after the other and none sees
   * another; batches of such rows have it without any column. In the padding each position is a
   * sample of its own.
   */
  public static final BatchInput POSITION_IN_SAMPLE = longs("position_in_sample", Extent.TOKEN);

  /** Those that every batch has, whatever is learnt from it. */
  public static final List<BatchInput> ALWAYS = List.of(INPUT_IDS, LABELS, LOSS_MASK);

  /**
   * @throws IllegalArgumentException if the runtime could not bind such an input
   */
  public BatchInput {
    if (!name.matches("[A-Za-z][A-Za-z0-9_.]*") || name.matches(".*_grad(\\..*)?")) {
      throw new IllegalArgumentException(
          "\"%s\" cannot be the name of an input: it must be of letters, digits, points and underscores, and not end in _grad."
              .formatted(name));
    }
    if (type != ElementType.FLOAT32 && type != ElementType.INT64) {
      throw new IllegalArgumentException(
          "The input %s must be float32 or int64, not %s.".formatted(name, type));
    }
    if (width < 1) {
      throw new IllegalArgumentException(
          "The input %s must have at least one value, not %d.".formatted(name, width));
    }
  }

  /** One float32, padded with 0. */
  public static BatchInput floats(String name, Extent extent) {
    return new BatchInput(name, ElementType.FLOAT32, extent, 1, 0);
  }

  /** One int64, padded with 0. */
  public static BatchInput longs(String name, Extent extent) {
    return new BatchInput(name, ElementType.INT64, extent, 1, 0);
  }

  /** The same with several values. */
  public BatchInput withWidth(int width) {
    return new BatchInput(name, type, extent, width, padding);
  }

  /** The same, padded with another value. */
  public BatchInput withPadding(float padding) {
    return new BatchInput(name, type, extent, width, padding);
  }

  /** The shape in a batch of so many rows, which are so many groups, of a length. */
  public long[] shape(int rows, int groups, int length) {
    long[] whole =
        switch (extent) {
          case TOKEN -> new long[] {rows, length, width};
          case ROW -> new long[] {rows, width};
          case GROUP -> new long[] {groups, width};
        };
    return width == 1 ? Arrays.copyOf(whole, whole.length - 1) : whole;
  }

  /** The shape in a graph. */
  Shape shape(Dimension rows, Dimension groups, Dimension length) {
    List<Dimension> shape = new ArrayList<>();
    shape.add(extent == Extent.GROUP ? groups : rows);
    if (extent == Extent.TOKEN) {
      shape.add(length);
    }
    if (width > 1) {
      shape.add(Dimension.of(width));
    }
    return new Shape(shape);
  }
}

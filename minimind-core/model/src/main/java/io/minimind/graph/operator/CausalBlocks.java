package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * A length cut into blocks of nearly equal extent, none longer than the last. The extents are known
 * at run time only; what depends on the length alone is computed once per graph.
 */
final class CausalBlocks {

  /**
   * Positions {@code [start, end)}.
   *
   * @param start int64 [1]
   * @param end int64 [1]
   * @param extent the dimension that {@code end - start} gives
   */
  record Range(Tensor start, Tensor end, Dimension extent) {}

  private final Operators op;
  private final Graph graph;
  private final Dimension length;
  private final int count;

  CausalBlocks(Operators op, Dimension length, int count) {
    this.op = op;
    this.graph = op.graph();
    this.length = length;
    this.count = count;
  }

  /** The positions of a block. */
  Range block(int index) {
    Tensor start = boundary(index);
    Tensor end = boundary(index + 1);
    Dimension extent = dimension("block", index, () -> op.subtract(end, start));
    return new Range(start, end, extent);
  }

  /** All positions that those of a block see: everything up to its end. */
  Range seenBy(int index) {
    Tensor end = boundary(index + 1);
    if (index + 1 == count) {
      return new Range(op.integers(0), end, length);
    }
    Dimension extent = dimension("through", index, () -> end);
    return new Range(op.integers(0), end, extent);
  }

  private Dimension dimension(String kind, int index, Supplier<Tensor> extent) {
    Dimension symbol = Dimension.symbol("%s %s %d/%d".formatted(length, kind, index, count));
    graph.shared(Dimension.class, symbol, extent);
    return symbol;
  }

  private Tensor boundary(int index) {
    Tensor extent = op.extent(length);
    if (index == 0 || index == count) {
      return index == 0 ? op.integers(0) : extent;
    }
    return graph.shared(
        CausalBlocks.class,
        List.of("boundary", length, index, count),
        () -> {
          // Counted from the end, so that empty blocks of a short length come first, where no key
          // is before them either: ONNX Runtime leaves a product over no elements unset.
          Tensor rounded = op.add(extent, op.integers(count - 1));
          Tensor step = op.divide(rounded, op.integers(count));
          Tensor after = op.multiply(step, op.integers(count - index));
          Tensor start = op.subtract(extent, after);
          return graph.add(new Maximum(), start, op.integers(0)).output(0);
        });
  }

  /** The part of a tensor that lies in a range along an axis. */
  Tensor slice(Tensor x, int axis, Range range) {
    if (x.shape().dimension(axis).equals(range.extent())) {
      return x;
    }
    Slice slice = new Slice(axis, range.extent());
    return graph.add(slice, x, range.start(), range.end(), op.integers(axis)).output(0);
  }

  /** A tensor with zeros after its end along one axis. */
  Tensor padEnd(Tensor x, int axis, Dimension extent) {
    Dimension present = x.shape().dimension(axis);
    if (present.equals(extent)) {
      return x;
    }
    int rank = x.shape().rank();
    Tensor pads =
        graph.shared(
            CausalBlocks.class,
            List.of("pads", rank, axis, present, extent),
            () -> {
              Tensor[] ends = new Tensor[2 * rank];
              Arrays.fill(ends, op.integers(0));
              ends[rank + axis] = op.subtract(op.extent(extent), op.extent(present));
              return op.concatenate(List.of(ends), 0, Dimension.of(2L * rank));
            });
    return graph.add(new Pad(axis, extent), x, pads).output(0);
  }

  /**
   * Added to the attention logits of a block's positions towards those that it sees, it masks the
   * later ones of these: [rows, columns].
   */
  Tensor mask(Range rows, Range columns, float masked) {
    return graph.shared(
        CausalBlocks.class,
        List.of("causal_mask", rows, columns, masked),
        () -> {
          Shape shape = Shape.of(rows.extent(), columns.extent());
          Tensor value = graph.constant("masked", Shape.of(1, 1), masked);
          Tensor full = op.expand(value, shape);
          Tensor diagonal = op.reshape(op.add(rows.start(), op.integers(1)), Shape.SCALAR);
          return graph.add(new UpperTriangle(), full, diagonal).output(0);
        });
  }

  /**
   * Added to the same logits, it masks the positions of other samples: [batch, 1, rows, columns].
   *
   * @param inSample int64 [batch, length], where in its own sample each position is
   */
  Tensor apart(Tensor inSample, Range rows, Range columns, float masked) {
    return graph.shared(
        CausalBlocks.class,
        List.of("apart", inSample, rows, columns, masked),
        () -> {
          Dimension batch = inSample.shape().dimension(0);
          Dimension one = Dimension.of(1);
          Tensor starts = starts(inSample);
          Tensor queries = op.reshape(starts, Shape.of(batch, one, length, one));
          Tensor keys = op.reshape(starts, Shape.of(batch, one, one, length));
          Tensor same = op.equal(slice(queries, 2, rows), slice(keys, 3, columns));
          Tensor others =
              op.subtract(graph.constant("one", Shape.SCALAR, 1f), op.cast(same, FLOAT32));
          return op.multiply(others, graph.constant("masked", Shape.SCALAR, masked));
        });
  }

  /** Where the sample of each position begins: int64 [batch, length]. */
  private Tensor starts(Tensor inSample) {
    return graph.shared(
        CausalBlocks.class,
        List.of("starts", inSample),
        () -> {
          Tensor zero = graph.constant("zero", Shape.SCALAR, 0L);
          Tensor step = graph.constant("step", Shape.SCALAR, 1L);
          Tensor end = op.reshape(op.extent(length), Shape.SCALAR);
          return op.subtract(op.apply(new Upwards(length), zero, end, step), inSample);
        });
  }
}

package io.minimind.graph;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

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
    Dimension extent = Dimension.symbol(length + " block " + index + "/" + count);
    graph.shared(extent, () -> op.subtract(end, start));
    return new Range(start, end, extent);
  }

  /** All positions that those of a block see: everything up to its end. */
  Range seenBy(int index) {
    Tensor end = boundary(index + 1);
    if (index + 1 == count) {
      return new Range(op.integers(0), end, length);
    }
    Dimension extent = Dimension.symbol(length + " through " + index + "/" + count);
    graph.shared(extent, () -> end);
    return new Range(op.integers(0), end, extent);
  }

  private Tensor boundary(int index) {
    Tensor extent = op.extent(length);
    if (index == 0 || index == count) {
      return index == 0 ? op.integers(0) : extent;
    }
    return graph.shared(
        List.of("boundary", length, index, count),
        () -> {
          // Counted from the end, so that empty blocks of a short length come first, where no key
          // is before them either: ONNX Runtime leaves a product over no elements unset.
          Tensor rounded = op.add(extent, op.integers(count - 1));
          Tensor step = op.divide(rounded, op.integers(count));
          Tensor after = op.multiply(step, op.integers(count - index));
          return op.maximum(op.subtract(extent, after), op.integers(0));
        });
  }

  /** The part of a tensor that lies in a range along an axis. */
  Tensor slice(Tensor x, int axis, Range range) {
    if (x.shape().dimension(axis).equals(range.extent())) {
      return x;
    }
    Shape shape = x.shape().with(axis, range.extent());
    List<Tensor> inputs = List.of(x, range.start(), range.end(), op.integers(axis));
    return op.node("Slice", "", Map.of(), inputs, op.fresh("slice", x.type(), shape)).output(0);
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
            List.of("pads", rank, axis, present, extent),
            () -> {
              Tensor[] ends = new Tensor[2 * rank];
              Arrays.fill(ends, op.integers(0));
              ends[rank + axis] = op.subtract(op.extent(extent), op.extent(present));
              return op.concatenate(List.of(ends), 0, Dimension.of(2L * rank));
            });
    Tensor padded = op.fresh("padded", x.type(), x.shape().with(axis, extent));
    return op.node("Pad", "", Map.of(), List.of(x, pads), padded).output(0);
  }

  /**
   * Added to the attention logits of a block's positions towards those that it sees, it masks the
   * later ones of these: [rows, columns].
   */
  Tensor mask(Range rows, Range columns, float masked) {
    return graph.shared(
        List.of("causal_mask", rows, columns, masked),
        () -> {
          Shape shape = Shape.of(rows.extent(), columns.extent());
          Tensor value = graph.constant(graph.freshName("masked"), Shape.of(1, 1), masked);
          Tensor full = op.expand(value, shape);
          Tensor diagonal = op.reshape(op.add(rows.start(), op.integers(1)), Shape.SCALAR);
          Tensor mask = op.fresh("causal_mask", full.type(), shape);
          Map<String, Object> upper = Map.of("upper", 1L);
          return op.node("Trilu", "", upper, List.of(full, diagonal), mask).output(0);
        });
  }
}

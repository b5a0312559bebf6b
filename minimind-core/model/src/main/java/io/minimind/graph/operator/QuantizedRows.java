package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.ElementType.UINT8;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Dimension;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Rows of a table that is quantized as in {@link QuantizedLinear}. Inputs: values, int64 indices of
 * any shape, scales [entries, blocks, 1], because the operator wants them of the values' rank.
 */
record QuantizedRows(int bits, long block) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("GatherBlockQuantized", 3)
          .with("gather_axis", Attribute.INTEGER)
          .with("quantize_axis", Attribute.INTEGER)
          .with("bits", Attribute.INTEGER)
          .with("block_size", Attribute.INTEGER);

  /** The shape of the indices, then the width rounded up to whole blocks. */
  static Tensor of(Operators op, Tensor values, Tensor scales, Tensor indices, int bits) {
    QuantizedRows operator = new QuantizedRows(bits, block(values, bits));
    expectBlocks(operator, values, scales);
    Dimension blocks = values.shape().dimension(1);
    Shape perBlock = Shape.of(values.shape().dimension(0), blocks, Dimension.of(1));
    Tensor rows = op.graph().add(operator, values, indices, op.reshape(scales, perBlock)).output(0);
    List<Dimension> joined = new ArrayList<>(indices.shape().dimensions());
    joined.add(blocks.times(Dimension.of(operator.block)));
    return op.reshape(rows, new Shape(joined));
  }

  /** The weights in a block whose bytes are the last axis. */
  static long block(Tensor values, int bits) {
    return values.shape().dimension(-1).extent() * Byte.SIZE / bits;
  }

  static void expectBlocks(Operator operator, Tensor values, Tensor scales) {
    expectRank(operator, values, 3);
    expectType(operator, values, UINT8);
    expectType(operator, scales, FLOAT32);
    Shape shape = values.shape();
    expectShape(operator, scales, Shape.of(shape.dimension(0), shape.dimension(1)));
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("gather_axis", 0L, "quantize_axis", 2L, "bits", (long) bits, "block_size", block);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor indices = inputs.get(1);
    expectType(this, indices, INT64);
    List<Dimension> shape = new ArrayList<>(indices.shape().dimensions());
    shape.addAll(List.of(inputs.get(0).shape().dimension(1), Dimension.of(block)));
    return List.of(new Result(FLOAT32, new Shape(shape)));
  }
}

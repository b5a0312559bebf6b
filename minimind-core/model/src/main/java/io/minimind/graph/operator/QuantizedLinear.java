package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A linear layer whose weight is quantized in blocks of inputs, with activations rounded to 8 bits
 * on the way. Inputs: x [rows, in], values uint8 [out, blocks of a row, bytes of a block], scales
 * [out, blocks of a row].
 */
record QuantizedLinear(long in, long out, int bits, long block) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("MatMulNBits", 3)
          .with("K", Attribute.INTEGER)
          .with("N", Attribute.INTEGER)
          .with("bits", Attribute.INTEGER)
          .with("block_size", Attribute.INTEGER)
          .with("accuracy_level", Attribute.INTEGER);

  /** The fastest of the operator's levels of accuracy. */
  private static final long EIGHT_BIT_ACTIVATIONS = 4;

  static Tensor of(Graph graph, Tensor x, Tensor values, Tensor scales, int bits) {
    long in = x.shape().dimension(-1).extent();
    long out = values.shape().dimension(0).extent();
    long block = QuantizedRows.block(values, bits);
    return graph.add(new QuantizedLinear(in, out, bits, block), x, values, scales).output(0);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of(
        "K",
        in,
        "N",
        out,
        "bits",
        (long) bits,
        "block_size",
        block,
        "accuracy_level",
        EIGHT_BIT_ACTIVATIONS);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    Tensor values = inputs.get(1);
    expectRank(this, x, 2);
    expectType(this, x, FLOAT32);
    QuantizedRows.expectBlocks(this, values, inputs.get(2));
    long padded = values.shape().dimension(1).extent() * block;
    if (padded < in || padded >= in + block) {
      throw expected(this, "as many blocks of " + block + " as a row needs", x, values);
    }
    Shape shape = Shape.of(x.shape().dimension(0), Dimension.of(out));
    return List.of(new Result(FLOAT32, shape));
  }
}

package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.FLOAT64;
import static io.minimind.graph.ElementType.INT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.ElementType.UINT8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention.Heads;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Attention.Rotation;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OperatorsTest {

  private static final Shape ROWS = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));

  private final Operators op = new Operators(new Graph("test"));

  private Tensor floats(String name, long... extents) {
    return op.graph().input(name, FLOAT32, Shape.of(extents));
  }

  private Tensor tensor(String name, ElementType type, long... extents) {
    return op.graph().input(name, type, Shape.of(extents));
  }

  private Rotation angles(long cosines, long pairs, long sines) {
    return new Rotation(
        RotaryLayout.NEIGHBOURS, floats("cos", cosines, pairs), floats("sin", sines, pairs));
  }

  private static Arguments refusal(Consumer<OperatorsTest> use, String message) {
    return Arguments.of(use, message);
  }

  private static void quantizedLinear(OperatorsTest t, Tensor x, int blocks, int scales) {
    Tensor values = t.tensor("values", UINT8, 5, blocks, 16);
    t.op.quantizedLinear(x, values, t.floats("scales", 5, scales), 4);
  }

  static List<Arguments> refusals() {
    return List.of(
        refusal(
            t -> t.op.add(t.floats("a", 2, 3), t.floats("b", 2)),
            "Add expects shapes that broadcast to each other, got a float32[2, 3] and b"
                + " float32[2]."),
        refusal(
            t -> t.op.multiply(t.op.graph().input("a", FLOAT32, ROWS), t.floats("b", 3, 2)),
            "Mul expects shapes that broadcast to each other, got a float32[batch, length] and b"
                + " float32[3, 2]."),
        refusal(
            t -> t.op.divide(t.floats("a", 2), t.tensor("b", INT64, 2)),
            "Div expects elements of type float32, got b int64[2]."),
        refusal(
            t -> t.op.negate(t.tensor("x", INT64, 2)),
            "Neg expects floating point elements, got x int64[2]."),
        refusal(
            t -> t.op.silu(t.tensor("x", FLOAT64, 2)),
            "QuickGelu expects elements of type float32 or of half precision, got x float64[2]."),
        refusal(
            t -> t.op.softmax(t.tensor("x", BOOL, 2)),
            "Softmax expects floating point elements, got x bool[2]."),
        refusal(
            t -> t.op.linear(t.floats("x", 2, 3, 4), t.floats("w", 5, 4)),
            "Gemm expects a tensor of rank 2, got x float32[2, 3, 4]."),
        refusal(
            t -> t.op.linear(t.floats("x", 2, 4), t.floats("w", 4)),
            "Gemm expects a tensor of rank 2, got w float32[4]."),
        refusal(
            t -> t.op.linear(t.floats("x", 2, 4), t.floats("w", 4, 5)),
            "Gemm expects equal inner dimensions, got x float32[2, 4] and w float32[4, 5]."),
        refusal(
            t -> t.op.linear(t.floats("x", 2, 4), t.tensor("w", FLOAT64, 5, 4)),
            "Gemm expects elements of type float32, got w float64[5, 4]."),
        refusal(
            t ->
                t.op.batchedProduct(
                    t.floats("a", 2, 3, 4), false, t.floats("b", 3, 4, 5), false, 1),
            "FusedMatMul expects equal leading and equal inner dimensions, got a float32[2, 3, 4]"
                + " and b float32[3, 4, 5]."),
        refusal(
            t ->
                t.op.batchedProduct(t.floats("a", 2, 3, 4), false, t.floats("b", 2, 4, 5), true, 1),
            "FusedMatMul expects equal leading and equal inner dimensions, got a float32[2, 3, 4]"
                + " and b float32[2, 4, 5]."),
        refusal(
            t -> t.op.batchedProduct(t.floats("a", 3, 4), false, t.floats("b", 4, 5), false, 1),
            "FusedMatMul expects equal leading and equal inner dimensions, got a float32[3, 4] and"
                + " b float32[4, 5]."),
        refusal(
            t ->
                t.op.batchedProduct(
                    t.floats("a", 1, 3, 4), false, t.tensor("b", FLOAT64, 1, 4, 5), false, 1),
            "FusedMatMul expects elements of type float32, got b float64[1, 4, 5]."),
        refusal(
            t -> quantizedLinear(t, t.floats("x", 3, 70), 2, 2),
            "MatMulNBits expects as many blocks of 32 as a row needs, got x float32[3, 70] and"
                + " values uint8[5, 2, 16]."),
        refusal(
            t -> quantizedLinear(t, t.floats("x", 3, 32), 2, 2),
            "MatMulNBits expects as many blocks of 32 as a row needs, got x float32[3, 32] and"
                + " values uint8[5, 2, 16]."),
        refusal(
            t -> quantizedLinear(t, t.floats("x", 3, 64), 2, 1),
            "MatMulNBits expects the shape [5, 2], got scales float32[5, 1]."),
        refusal(
            t ->
                t.op.quantizedGather(
                    t.floats("values", 5, 2, 16),
                    t.floats("scales", 5, 2),
                    t.tensor("ids", INT64, 3),
                    4),
            "GatherBlockQuantized expects elements of type uint8, got values float32[5, 2, 16]."),
        refusal(
            t -> t.op.split(t.floats("x", 2, 5), 2, 2),
            "Split expects an axis -1 for the parts [2, 2], got x float32[2, 5]."),
        refusal(
            t -> t.op.reshape(t.floats("x", 2, 3), Shape.of(4)),
            "Reshape expects as many elements as [4] has, got x float32[2, 3]."),
        refusal(
            t -> t.op.reshape(t.op.graph().input("x", FLOAT32, ROWS), Shape.of(ROWS.dimension(0))),
            "Reshape expects as many elements as [batch] has, got x float32[batch, length]."),
        refusal(
            t -> t.op.transpose(t.floats("x", 2, 3), 0, 1, 2),
            "Transpose expects axes of which [0, 1, 2] is a permutation, got x float32[2, 3]."),
        refusal(
            t -> t.op.transpose(t.floats("x", 2, 3), 1, 1),
            "Transpose expects axes of which [1, 1] is a permutation, got x float32[2, 3]."),
        refusal(
            t -> t.op.expand(t.floats("x", 2, 3), Shape.of(2, 4)),
            "Expand expects a shape that broadcasts to [2, 4], got x float32[2, 3]."),
        refusal(
            t -> t.op.expand(t.floats("x", 2, 3), Shape.of(1, 3)),
            "Expand expects a shape that broadcasts to [1, 3], got x float32[2, 3]."),
        refusal(
            t -> t.op.sum(t.floats("x", 2, 3), 2),
            "ReduceSum expects a tensor with the axes [2], got x float32[2, 3]."),
        refusal(
            t -> t.op.sum(t.floats("x", 2, 3), 0, -3),
            "ReduceSum expects a tensor with the axes [0, -3], got x float32[2, 3]."),
        refusal(
            t -> t.op.gather(t.floats("table", 9), t.tensor("ids", INT64, 2)),
            "Gather expects a tensor of rank 2, got table float32[9]."),
        refusal(
            t -> t.op.gather(t.floats("table", 9, 4), t.tensor("ids", INT32, 2)),
            "Gather expects elements of type int64, got ids int32[2]."),
        refusal(
            t -> t.op.rmsNorm(t.floats("x", 2, 3), t.floats("weight", 2), 1e-5f),
            "SimplifiedLayerNormalization expects the shape [3], got weight float32[2]."),
        refusal(
            t -> t.op.rmsNorm(t.floats("x", 2, 3), t.tensor("weight", FLOAT64, 3), 1e-5f),
            "SimplifiedLayerNormalization expects elements of type float32, got weight"
                + " float64[3]."),
        refusal(
            t -> t.op.rotary(t.floats("x", 2, 3, 16), t.angles(9, 8, 9)),
            "RotaryEmbedding expects a tensor of rank 4, got x float32[2, 3, 16]."),
        refusal(
            t -> t.op.rotary(t.floats("x", 1, 2, 3, 16), t.angles(9, 8, 8)),
            "RotaryEmbedding expects the shape [9, 8], got sin float32[8, 8]."),
        refusal(
            t -> t.op.rotary(t.floats("x", 1, 2, 3, 16), t.angles(9, 16, 9)),
            "RotaryEmbedding expects an angle for each of 16 / 2 pairs, got cos float32[9, 16] and"
                + " sin float32[9, 16]."),
        refusal(
            t -> t.op.crossEntropy(t.floats("logits", 2, 3, 9), t.tensor("labels", INT64, 2), 0),
            "CrossEntropy expects a tensor of rank 2, got logits float32[2, 3," + " 9]."),
        refusal(
            t -> t.op.crossEntropy(t.floats("logits", 2, 9), t.tensor("labels", INT64, 3), 0),
            "CrossEntropy expects the shape [2], got labels int64[3]."),
        refusal(
            t -> t.op.crossEntropy(t.floats("logits", 2, 9), t.tensor("labels", INT32, 2), 0),
            "CrossEntropy expects elements of type int64, got labels int32[2]."),
        refusal(
            t ->
                t.op.accumulateInPlace(
                    t.floats("buffer", 2), t.floats("gradient", 3), t.tensor("flag", BOOL, 1)),
            "InPlaceAccumulatorV2 expects the shape [2], got gradient float32[3]."),
        refusal(
            t ->
                t.op.accumulateInPlace(
                    t.floats("buffer", 2), t.floats("gradient", 2), t.floats("flag", 1)),
            "InPlaceAccumulatorV2 expects elements of type bool, got flag float32[1]."),
        refusal(
            t -> t.op.norm(List.of(t.floats("x", 2), t.tensor("y", FLOAT64, 2))),
            "ReduceAllL2 expects elements of type float32, got y float64[2]."));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void aMessageNamesOperatorExpectationAndOperands(Consumer<OperatorsTest> use, String message) {
    assertEquals(
        message, assertThrows(IllegalArgumentException.class, () -> use.accept(this)).getMessage());
  }

  /** Operands of attention that fit, 4 heads on 2; one of them is then replaced. */
  private static List<Tensor> attentionOperands() {
    return new ArrayList<>(
        List.of(
            new Tensor("query", FLOAT32, Shape.of(2, 3, 64)),
            new Tensor("key", FLOAT32, Shape.of(2, 3, 32)),
            new Tensor("value", FLOAT32, Shape.of(2, 3, 32)),
            new Tensor("past_key", FLOAT32, Shape.of(2, 2, 9, 16)),
            new Tensor("past_value", FLOAT32, Shape.of(2, 2, 9, 16)),
            new Tensor("last", INT32, Shape.of(2)),
            new Tensor("total", INT32, Shape.SCALAR),
            new Tensor("cosine", FLOAT32, Shape.of(9, 8)),
            new Tensor("sine", FLOAT32, Shape.of(9, 8))));
  }

  private void attend(List<Tensor> t, int heads, int keyValueHeads) {
    Past past = new Past(t.get(3), t.get(4));
    op.attention(
        new Heads(t.get(0), t.get(1), t.get(2), heads, keyValueHeads),
        past,
        new Positions(t.get(5), t.get(6)),
        new Rotation(RotaryLayout.NEIGHBOURS, t.get(7), t.get(8)));
  }

  static List<Tensor> wrongAttentionOperands() {
    return List.of(
        new Tensor("query", FLOAT32, Shape.of(2, 3, 48)),
        new Tensor("query", FLOAT32, Shape.of(2, 64)),
        new Tensor("query", FLOAT64, Shape.of(2, 3, 64)),
        new Tensor("key", FLOAT32, Shape.of(2, 32)),
        new Tensor("key", FLOAT64, Shape.of(2, 3, 32)),
        new Tensor("value", FLOAT32, Shape.of(2, 4, 32)),
        new Tensor("value", FLOAT64, Shape.of(2, 3, 32)),
        new Tensor("past_key", FLOAT32, Shape.of(2, 4, 9, 16)),
        new Tensor("past_value", FLOAT32, Shape.of(2, 2, 8, 16)),
        new Tensor("last", INT64, Shape.of(2)),
        new Tensor("last", INT32, Shape.of(3)),
        new Tensor("total", INT64, Shape.SCALAR),
        new Tensor("total", INT32, Shape.of(1)),
        new Tensor("sine", FLOAT32, Shape.of(8, 8)));
  }

  @ParameterizedTest
  @MethodSource("wrongAttentionOperands")
  void attentionNamesTheOperandThatDoesNotFit(Tensor wrong) {
    List<Tensor> operands = attentionOperands();
    attend(operands, 4, 2);
    operands.replaceAll(operand -> operand.name().equals(wrong.name()) ? wrong : operand);
    String message =
        assertThrows(IllegalArgumentException.class, () -> attend(operands, 4, 2)).getMessage();
    String pattern = "GroupQueryAttention expects .+, got .*\\Q" + wrong + "\\E.*\\.";
    assertTrue(message.matches(pattern), message);
  }

  @Test
  void attentionHeadsAreMultiplesOfKeyValueHeads() {
    List<Tensor> operands = attentionOperands();
    operands.set(0, new Tensor("query", FLOAT32, Shape.of(2, 3, 48)));
    String message =
        assertThrows(IllegalArgumentException.class, () -> attend(operands, 3, 2)).getMessage();
    assertEquals(
        "GroupQueryAttention expects heads in multiples of key/value heads, not 3 in multiples of"
            + " 2, got query float32[2, 3, 48] and key float32[2, 3, 32].",
        message);
  }

  @Test
  void aShapeIsResolvedWhenTheGraphRuns() {
    Dimension batch = ROWS.dimension(0);
    Dimension length = ROWS.dimension(1);
    Graph graph = op.graph();
    Tensor x = graph.input("x", FLOAT32, ROWS);
    Tensor tokens = op.reshape(x, Shape.of(batch.times(length), Dimension.of(1)));
    Tensor wide = op.expand(tokens, Shape.of(batch.times(length), Dimension.of(2)));
    Tensor grouped = op.reshape(wide, Shape.of(length, Dimension.of(2).times(batch)));
    graph.output("sums", op.sum(grouped, 1));
    graph.output("tokens", op.cast(op.extent(batch.times(length)), FLOAT32));
    try (ModelRunner runner = ModelRunner.of(graph.toModel())) {
      for (int[] extents : new int[][] {{1, 1}, {2, 3}, {4, 2}, {1, 7}}) {
        float[] values = new float[extents[0] * extents[1]];
        for (int i = 0; i < values.length; i++) {
          values[i] = i;
        }
        var outputs =
            runner.run(List.of(NamedTensor.ofFloats("x", values, extents[0], extents[1])));
        double[] expected = new double[extents[1]];
        for (int i = 0; i < values.length; i++) {
          expected[i / extents[0]] += 2 * values[i];
        }
        assertEquals(
            Arrays.toString(expected), Arrays.toString(ModelRunner.doubles(outputs.get("sums"))));
        assertEquals(values.length, ModelRunner.doubles(outputs.get("tokens"))[0]);
      }
    }
  }
}

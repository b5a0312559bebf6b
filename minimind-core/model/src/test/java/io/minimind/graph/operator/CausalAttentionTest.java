package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention.Heads;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Attention.Rotation;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention in several operators against the one operator for it. */
class CausalAttentionTest {

  private static final int BATCH = 2;
  private static final int LENGTH = 11;
  private static final int HEADS = 4;
  private static final int KEY_VALUE_HEADS = 2;
  private static final int SIZE = 16;

  private final Random random = new Random(3);
  private final List<NamedTensor> inputs = new ArrayList<>();

  private float[] numbers(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private Tensor input(Graph graph, String name, long... extents) {
    Shape shape = Shape.of(extents);
    inputs.add(NamedTensor.ofFloats(name, numbers((int) shape.elements().extent()), extents));
    return graph.input(name, FLOAT32, shape);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, NEIGHBOURS, true, 1e-6",
    "FLOAT16, NEIGHBOURS, true, 2e-3",
    "BFLOAT16, NEIGHBOURS, true, 2e-2",
    "FLOAT32, HALVES, true, 1e-6",
    "FLOAT16, HALVES, true, 2e-3",
    "FLOAT32, NEIGHBOURS, false, 1e-6"
  })
  void bothAttendAlike(ElementType type, RotaryLayout layout, boolean rotates, double tolerance) {
    Graph graph = new Graph("attention");
    Operators op = new Operators(graph);
    Tensor query = op.cast(input(graph, "query", BATCH, LENGTH, HEADS * SIZE), type);
    Tensor key = op.cast(input(graph, "key", BATCH, LENGTH, KEY_VALUE_HEADS * SIZE), type);
    Tensor value = op.cast(input(graph, "value", BATCH, LENGTH, KEY_VALUE_HEADS * SIZE), type);
    float[] angles = numbers(LENGTH * SIZE / 2);
    float[] cosines = new float[angles.length];
    float[] sines = new float[angles.length];
    for (int i = 0; i < angles.length; i++) {
      cosines[i] = (float) Math.cos(angles[i]);
      sines[i] = (float) Math.sin(angles[i]);
    }
    Tensor cosine = graph.constant("cosine", Shape.of(LENGTH, SIZE / 2), cosines);
    Tensor sine = graph.constant("sine", Shape.of(LENGTH, SIZE / 2), sines);
    Tensor last = op.cast(graph.constant("last", Shape.of(BATCH), LENGTH - 1L, LENGTH - 1L), INT32);
    Tensor total = op.cast(graph.constant("total", Shape.SCALAR, (long) LENGTH), INT32);
    Rotation rotation = rotates ? new Rotation(layout, cosine, sine) : Rotation.NONE;
    Heads heads = new Heads(query, key, value, HEADS, KEY_VALUE_HEADS);
    outputs(op, "one", op.attention(heads, Past.NONE, new Positions(last, total), rotation));
    GroupQueryAttention operator = new GroupQueryAttention(HEADS, KEY_VALUE_HEADS, rotates, layout);
    CausalAttention explicit = new CausalAttention(op, key, operator, Tensor.ABSENT);
    List<Tensor> several = explicit.add(query, key, value, rotation);
    outputs(op, "several", new Attention(several.get(0), several.get(1), several.get(2)));
    try (ModelRunner model = ModelRunner.of(graph.toModel())) {
      var found = model.run(inputs);
      for (String name : List.of(".output", ".key", ".value")) {
        double[] expected = ModelRunner.doubles(found.get("one" + name));
        double[] got = ModelRunner.doubles(found.get("several" + name));
        assertEquals(expected.length, got.length);
        for (int i = 0; i < expected.length; i++) {
          assertEquals(expected[i], got[i], tolerance * Math.max(1, Math.abs(expected[i])), name);
        }
      }
    }
  }

  private static void outputs(Operators op, String name, Attention attention) {
    op.graph().output(name + ".output", op.cast(attention.output(), FLOAT32));
    op.graph().output(name + ".key", op.cast(attention.presentKey(), FLOAT32));
    op.graph().output(name + ".value", op.cast(attention.presentValue(), FLOAT32));
  }

  @Test
  void thereIsNoneOverAPast() {
    Graph graph = new Graph("attention", Target.CUDA);
    Operators op = new Operators(graph);
    Tensor key = input(graph, "key", 1, 3, SIZE);
    Past past =
        new Past(
            input(graph, "past_key", 1, 1, 8, SIZE), input(graph, "past_value", 1, 1, 8, SIZE));
    Tensor angles = graph.constant("angles", Shape.of(8, SIZE / 2), new float[8 * SIZE / 2]);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                op.attention(
                    new Heads(key, key, key, 1, 1),
                    past,
                    new Positions(
                        graph.input("last", INT32, Shape.of(1)),
                        graph.input("total", INT32, Shape.SCALAR)),
                    new Rotation(RotaryLayout.NEIGHBOURS, angles, angles)));
    assertTrue(e.getMessage().contains("over a past"), e.getMessage());
  }
}

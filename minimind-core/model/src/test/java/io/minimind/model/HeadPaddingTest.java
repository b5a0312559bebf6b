package io.minimind.model;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.FiniteDifferences;
import io.minimind.graph.operator.FiniteDifferences.Subject;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.ModelConfig.Preset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class HeadPaddingTest {

  private static final int HEADS = 4;
  private static final int KEY_VALUE_HEADS = 2;

  @ParameterizedTest
  @CsvSource({
    "2, NEIGHBOURS",
    "8, NEIGHBOURS",
    "12, NEIGHBOURS",
    "18, NEIGHBOURS",
    "12, HALVES",
    "18, HALVES"
  })
  void gradientsThroughPaddedAttentionAreFiniteDifferences(int headSize, RotaryLayout layout) {
    FiniteDifferences.check(FLOAT32, subject -> attention(subject, headSize, layout));
  }

  private static Tensor attention(Subject subject, int headSize, RotaryLayout layout) {
    int batch = 2;
    int length = 3;
    int tokens = batch * length;
    ModelConfig config =
        ModelConfig.of(HEADS * headSize, 1, HEADS, KEY_VALUE_HEADS, 1, 8).toBuilder()
            .rotary(Rotary.of(layout, 100))
            .build();
    Tensor last = subject.integers("last", Shape.of(batch), length - 1, length - 1);
    Tensor total = subject.integers("total", Shape.SCALAR, length);
    return new Transformer(subject.op, config)
        .attention(
            0,
            subject.parameter("query", tokens, HEADS * headSize),
            subject.parameter("key", tokens, KEY_VALUE_HEADS * headSize),
            subject.parameter("value", tokens, KEY_VALUE_HEADS * headSize),
            Shape.of(batch, length),
            Past.NONE,
            new Positions(subject.op.cast(last, INT32), subject.op.cast(total, INT32)));
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void thePresetsAreNotPadded(Preset preset) {
    ModelConfig config = preset.config(6400, 512);
    Operators op = new Operators(new Graph("unpadded"));
    Tensor x = op.graph().input("x", FLOAT32, Shape.of(2, config.hiddenSize()));
    HeadPadding padding = new HeadPadding(op, config);
    assertSame(x, padding.query(x));
    assertSame(x, padding.keyOrValue(x));
    assertSame(x, padding.cut(x));
    assertEquals(0, op.graph().toModel().getGraph().getInitializerCount());
  }
}

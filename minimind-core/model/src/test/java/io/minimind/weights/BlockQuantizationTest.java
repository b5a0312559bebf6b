package io.minimind.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.ElementType;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockQuantizationTest {

  private static NamedTensor matrix(int rows, int width, float... values) {
    return NamedTensor.ofFloats("w", values, rows, width);
  }

  private static float[] back(NamedTensor matrix, int bits) {
    List<NamedTensor> stored = new BlockQuantization(bits).quantize(matrix);
    NamedTensor back = Blocks.dequantize(List.of(matrix), stored, bits).get(0);
    float[] values = new float[(int) back.elements()];
    back.floats().get(values);
    return values;
  }

  @Provide
  Arbitrary<Integer> bits() {
    return Arbitraries.of(4, 8);
  }

  @Property(tries = 300)
  void noWeightIsOffByMoreThanHalfAScaleUnlessItIsCut(
      @ForAll("bits") int bits,
      @ForAll @IntRange(min = 1, max = 4) int rows,
      @ForAll @IntRange(min = 1, max = 100) int width,
      @ForAll @IntRange(min = -30, max = 30) int magnitude,
      @ForAll long seed) {
    Random random = new Random(seed);
    float[] weights = new float[rows * width];
    for (int i = 0; i < weights.length; i++) {
      // One weight in eight is zero.
      weights[i] =
          random.nextInt(8) == 0 ? 0 : (float) Math.scalb(random.nextGaussian(), magnitude);
    }
    NamedTensor matrix = matrix(rows, width, weights);
    NamedTensor scales = new BlockQuantization(bits).quantize(matrix).get(1);
    float[] back = back(matrix, bits);
    FloatBuffer scaleOf = scales.floats();
    int blocks = (width + 31) / 32;
    for (int i = 0; i < weights.length; i++) {
      double scale = scaleOf.get(i / width * blocks + i % width / 32);
      double largest = ((1 << (bits - 1)) - 1) * scale;
      boolean cut = weights[i] / scale > largest / scale;
      double allowed = (cut ? 1 : 0.5) * Math.abs(scale);
      double error = Math.abs((double) weights[i] - back[i]);
      assertTrue(error <= allowed * (1 + 1e-4), weights[i] + " became " + back[i]);
      if (weights[i] == 0) {
        assertTrue(back[i] == 0, "zero stays zero");
      }
    }
  }

  @Property(tries = 100)
  void theLargestWeightOfABlockIsKept(
      @ForAll("bits") int bits, @ForAll @IntRange(min = 1, max = 32) int width, @ForAll long seed) {
    Random random = new Random(seed);
    float[] weights = new float[width];
    int largest = 0;
    for (int i = 0; i < width; i++) {
      weights[i] = (float) random.nextGaussian();
      largest = Math.abs(weights[i]) > Math.abs(weights[largest]) ? i : largest;
    }
    float[] back = back(matrix(1, width, weights), bits);
    assertEquals(weights[largest], back[largest], Math.ulp(weights[largest]));
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 8})
  void rowsBeginNewBlocks(int bits) {
    // A scale that reached over the end of a row would lose the small one.
    float[] weights = new float[2 * 40];
    for (int i = 0; i < 80; i++) {
      weights[i] = i < 40 ? 1000f : 0.001f;
    }
    NamedTensor matrix = matrix(2, 40, weights);
    assertArrayEquals(weights, back(matrix, bits), 1e-9f);
    List<NamedTensor> stored = new BlockQuantization(bits).quantize(matrix);
    assertEquals("w.values", stored.get(0).name());
    assertEquals(ElementType.UINT8, stored.get(0).type());
    assertArrayEquals(new long[] {2, 2, 4 * bits}, stored.get(0).shape());
    assertEquals("w.scales", stored.get(1).name());
    assertArrayEquals(new long[] {2, 2}, stored.get(1).shape());
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 8})
  void weightsTooSmallForAScaleAreZero(int bits) {
    float[] weights = {0, Float.MIN_VALUE, -Float.MIN_NORMAL, 0};
    assertArrayEquals(new float[4], back(matrix(1, 4, weights), bits));
  }

  @Test
  void whatIsNoNumberIsRefused() {
    for (float broken : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> new BlockQuantization(8).quantize(matrix(1, 3, 1, broken, 2)))
              .getMessage();
      assertTrue(message.startsWith("The weight 1 of w is " + broken), message);
    }
    assertThrows(IllegalArgumentException.class, () -> new BlockQuantization(5));
  }
}

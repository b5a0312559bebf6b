package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class Bfloat16Test {

  @Property
  void itIsTheNearest(@ForAll float value) {
    float found = Bfloat16.toFloat(Bfloat16.of(value));
    if (!Float.isFinite(value) || !Float.isFinite(found)) {
      assertEquals(Float.isNaN(value), Float.isNaN(found));
      assertTrue(Float.isNaN(value) || Math.abs(value) > 3.3e38f, "" + value);
      return;
    }
    int bits = Float.floatToRawIntBits(value) & 0xffff0000;
    BigDecimal error = distance(value, found);
    assertTrue(error.compareTo(distance(value, Float.intBitsToFloat(bits))) <= 0);
    float away = Float.intBitsToFloat(bits + 0x10000);
    assertTrue(!Float.isFinite(away) || error.compareTo(distance(value, away)) <= 0);
  }

  private static BigDecimal distance(float a, float b) {
    return new BigDecimal(a).subtract(new BigDecimal(b)).abs();
  }

  @Test
  void halfWayItIsTheEvenOne() {
    assertEquals(0x3f80, Bfloat16.of(Float.intBitsToFloat(0x3f808000)));
    assertEquals(0x3f82, Bfloat16.of(Float.intBitsToFloat(0x3f818000)));
  }

  /** What is sent in all is what there was in all, but for the last error. */
  @Test
  void whatRoundingTakesAwayComesLaterAndIsNotLost() {
    Random random = new Random(3);
    int length = 10_000;
    float[] errors = new float[length];
    double[] wanted = new double[length];
    double[] sent = new double[length];
    FloatBuffer values = FloatBuffer.allocate(length);
    FloatBuffer decoded = FloatBuffer.allocate(length);
    ShortBuffer wire = ShortBuffer.allocate(length);
    for (int round = 0; round < 100; round++) {
      for (int i = 0; i < length; i++) {
        values.put(i, 1 + random.nextFloat());
        wanted[i] += values.get(i);
      }
      Bfloat16.encode(values, errors, wire);
      Bfloat16.decode(wire, decoded);
      for (int i = 0; i < length; i++) {
        sent[i] += decoded.get(i);
      }
    }
    for (int i = 0; i < length; i++) {
      assertEquals(wanted[i], sent[i] + errors[i], 1e-4);
      assertEquals(wanted[i], sent[i], 0.01);
    }
  }
}

package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.bytedeco.javacpp.IntPointer;
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

  private static final int[] SPECIAL = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x00007fff, 0x00008000, 0x00008001, 0x00018000,
    0x007fffff, 0x00800000, 0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0x7f7f7fff, 0x7f7f8000,
    0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fffffff, 0xff80ffff, 0xffffffff,
    0x7fc01234, 0xffc08000
  };

  /** Ties, numbers below the smallest normal one, and what is no number are among them. */
  @Test
  void inNativeMemoryItIsTheSame() {
    Random random = new Random(4);
    for (int length : new int[] {0, 1, 7, 4095, 4096, 10_001}) {
      int[] bits = random.ints(length).toArray();
      System.arraycopy(SPECIAL, 0, bits, 0, Math.min(length, SPECIAL.length));
      try (IntPointer from = new IntPointer(length + 1L);
          IntPointer to = new IntPointer(length + 1L)) {
        from.put(bits, 0, length);
        to.put(length, 0x1234567);
        Bfloat16.round(from.address(), to.address(), length);
        for (int i = 0; i < length; i++) {
          int expected = Bfloat16.of(Float.intBitsToFloat(bits[i])) << 16;
          assertEquals(expected, to.get(i), Integer.toHexString(bits[i]));
        }
        assertEquals(0x1234567, to.get(length), "nothing behind them is touched");
        Bfloat16.round(from.address(), from.address(), length);
        for (int i = 0; i < length; i++) {
          assertEquals(to.get(i), from.get(i));
        }
      }
    }
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
    try (Workers workers = new Workers(2)) {
      for (int round = 0; round < 100; round++) {
        for (int i = 0; i < length; i++) {
          values.put(i, 1 + random.nextFloat());
          wanted[i] += values.get(i);
        }
        Bfloat16.encode(workers, values, errors, wire);
        Bfloat16.decode(workers, wire, decoded);
        for (int i = 0; i < length; i++) {
          sent[i] += decoded.get(i);
        }
      }
    }
    for (int i = 0; i < length; i++) {
      assertEquals(wanted[i], sent[i] + errors[i], 1e-4);
      assertEquals(wanted[i], sent[i], 0.01);
    }
  }
}

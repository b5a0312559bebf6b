package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MeanTest {

  private static final int SIZE = 20_000;

  private final List<FloatPointer> all = new ArrayList<>();

  @BeforeAll
  static void load() {
    OnnxRuntime.load();
  }

  @AfterEach
  void close() {
    all.forEach(FloatPointer::close);
  }

  /** As pieces of gradients are averaged while the next are on their way. */
  @Test
  void whatIsNotAskedForStaysAsItWas() {
    for (int which = 0; which < 3; which++) {
      float[] values = new float[SIZE];
      for (int i = 0; i < SIZE; i++) {
        values[i] = i + 3 * which;
      }
      all.add(new FloatPointer(values));
    }
    int start = 5_001;
    int length = 9_000;
    try (Workers workers = new Workers(2)) {
      Mean.intoFirst(workers, all, start, length);
    }
    for (int i = 0; i < SIZE; i++) {
      boolean asked = i >= start && i < start + length;
      assertEquals(asked ? i + 3 : i, all.get(0).get(i), "value " + i);
      assertEquals(i + 3, all.get(1).get(i), "another's value " + i);
    }
  }
}

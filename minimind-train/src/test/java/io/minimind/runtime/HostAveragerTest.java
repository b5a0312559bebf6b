package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class HostAveragerTest {

  @Property(tries = 100)
  void everyValueIsTheMeanOfTheReplicas(
      @ForAll @IntRange(min = 1, max = 5) int replicas,
      @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 10_000) Integer> sizes,
      @ForAll long seed) {
    List<List<Gradient>> gradients = new ArrayList<>();
    for (int replica = 0; replica < replicas; replica++) {
      gradients.add(gradients(sizes, seed + replica));
    }
    List<Gradient> mean = new HostAverager().mean(gradients);
    assertEquals(sizes.size(), mean.size());
    for (int i = 0; i < sizes.size(); i++) {
      float[] sum = new float[sizes.get(i)];
      for (int replica = 0; replica < replicas; replica++) {
        Random random = new Random(seed + replica + 31L * i);
        for (int j = 0; j < sum.length; j++) {
          sum[j] += (float) random.nextGaussian();
        }
      }
      for (int j = 0; j < sum.length; j++) {
        assertEquals(sum[j] / replicas, mean.get(i).values().get(j));
      }
    }
  }

  private static List<Gradient> gradients(List<Integer> sizes, long seed) {
    List<Gradient> gradients = new ArrayList<>();
    for (int i = 0; i < sizes.size(); i++) {
      int size = sizes.get(i);
      FloatBuffer values =
          ByteBuffer.allocateDirect(size * Float.BYTES)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      Random random = new Random(seed + 31L * i);
      for (int j = 0; j < size; j++) {
        values.put(j, (float) random.nextGaussian());
      }
      gradients.add(new Gradient(new long[] {size}, values));
    }
    return gradients;
  }
}

package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

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
  void everyReplicaTakesTheMeanOfThoseThatCount(
      @ForAll @IntRange(min = 1, max = 5) int participants,
      @ForAll @IntRange(min = 0, max = 2) int others,
      @ForAll @IntRange(min = 1, max = 4) int threads,
      @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 10_000) Integer> sizes,
      @ForAll long seed) {
    List<long[]> shapes = sizes.stream().map(size -> new long[] {size}).toList();
    List<GradientBuffer> replicas = new ArrayList<>();
    List<float[]> gradients = new ArrayList<>();
    try (Workers workers = new Workers(threads)) {
      for (int replica = 0; replica < participants + others; replica++) {
        GradientBuffer buffer = GradientBuffer.allocate(Device.CPU, shapes);
        replicas.add(buffer);
        float[] values = new float[Math.toIntExact(buffer.values().capacity())];
        Random random = new Random(seed + replica);
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) random.nextGaussian();
        }
        buffer.values().put(values);
        gradients.add(values);
      }
      HostAverager averager = new HostAverager(replicas, workers);
      averager.average(participants);
      FloatBuffer mean = averager.mean(0).values().asBuffer();
      for (int i = 0; i < mean.capacity(); i++) {
        float sum = gradients.get(0)[i];
        for (float[] values : gradients.subList(1, participants)) {
          sum += values[i];
        }
        assertEquals(sum / participants, mean.get(i), "value " + i);
      }
      for (int replica = 1; replica < replicas.size(); replica++) {
        assertSame(averager.mean(0), averager.mean(replica));
      }
    } finally {
      replicas.forEach(GradientBuffer::close);
    }
  }
}

package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.distributed.Ranks;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class RowAveragerTest {

  /** Several pieces, the last of them short. */
  private static final long LENGTH = 600_001;

  @BeforeAll
  static void load() {
    OnnxRuntime.load();
  }

  private static GradientBuffer gradients(int replica) {
    GradientBuffer buffer = GradientBuffer.allocate(Device.CPU, List.of(new long[] {LENGTH}));
    float[] values = new float[Math.toIntExact(buffer.values().capacity())];
    Random random = new Random(replica);
    for (int i = 0; i < values.length; i++) {
      // Of such different sizes that another order of the terms would give other sums.
      values[i] = (float) (random.nextGaussian() * Math.pow(10, replica % 4));
    }
    buffer.values().put(values);
    return buffer;
  }

  private static float[] values(GradientBuffer buffer) {
    float[] values = new float[Math.toIntExact(LENGTH)];
    buffer.values().get(values);
    return values;
  }

  private static List<GradientBuffer> gradients(int first, int count) {
    List<GradientBuffer> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(gradients(first + i));
    }
    return all;
  }

  private static float[] expected(int replicas, int participants) {
    List<GradientBuffer> all = gradients(0, replicas);
    try (Workers workers = new Workers(1)) {
      new HostAverager(all, workers).average(participants);
    }
    float[] mean = values(all.get(0));
    all.forEach(GradientBuffer::close);
    return mean;
  }

  /** Two processes of two replicas, four of one, and some that have nothing to add. */
  @ParameterizedTest
  @CsvSource({"2, 2, 4", "4, 1, 4", "3, 2, 5", "3, 2, 4", "3, 2, 3", "3, 2, 1", "2, 3, 2"})
  void theMeanIsThatOfOneProcessToTheBit(int processes, int each, int participants)
      throws Exception {
    float[] expected = expected(processes * each, participants);
    for (float[] found : averaged(processes, each, participants)) {
      assertArrayEquals(expected, found);
    }
  }

  private static List<float[]> averaged(int processes, int each, int participants)
      throws Exception {
    return Ranks.run(
        processes,
        group -> {
          List<GradientBuffer> own = gradients(group.rank() * each, each);
          Exchange exchange = new Exchange(group, each);
          float[] mean;
          try (Workers workers = new Workers(2);
              RowAverager averager = new RowAverager(own, workers, group, exchange)) {
            averager.average(participants);
            mean = values(averager.mean(each - 1));
          }
          own.forEach(GradientBuffer::close);
          return mean;
        });
  }

  /** The end of the gradients is averaged while their beginning is still being computed. */
  @Test
  void whatIsThereIsAveragedWhileTheRestIsMissing() throws Exception {
    long[] half = {LENGTH / 2};
    float[] expected = expected(2, 2);
    int last = Math.toIntExact(LENGTH) - 1;
    List<float[]> means =
        Ranks.run(
            2,
            group -> {
              GradientBuffer own = GradientBuffer.allocate(Device.CPU, List.of(half, half));
              try (GradientBuffer one = gradients(group.rank())) {
                float[] numbers = new float[Math.toIntExact(own.values().capacity())];
                one.values().get(numbers);
                own.values().put(numbers);
              }
              float[] before = values(own);
              try (Workers workers = new Workers(2);
                  RowAverager averager =
                      new RowAverager(List.of(own), workers, group, new Exchange(group, 1))) {
                own.expect();
                averager.begin(2);
                own.arrived(1);
                while (own.values().get(last) != expected[last]) {
                  Thread.onSpinWait(); // The time limit of this class ends it.
                }
                assertEquals(before[0], own.values().get(0));
                own.arrived();
                averager.average(2);
                return values(own);
              } finally {
                own.close();
              }
            });
    for (float[] found : means) {
      assertArrayEquals(expected, found);
    }
  }

  @Test
  void processesMayHaveDifferentlyManyReplicas() throws Exception {
    float[] expected = expected(6, 6);
    int[] firsts = {0, 1, 4, 6};
    List<float[]> means =
        Ranks.run(
            3,
            group -> {
              int first = firsts[group.rank()];
              List<GradientBuffer> own = gradients(first, firsts[group.rank() + 1] - first);
              Exchange exchange = new Exchange(group, own.size());
              try (Workers workers = new Workers(2);
                  RowAverager averager = new RowAverager(own, workers, group, exchange)) {
                averager.average(6);
                return values(averager.mean(0));
              } finally {
                own.forEach(GradientBuffer::close);
              }
            });
    for (float[] found : means) {
      assertArrayEquals(expected, found);
    }
  }
}

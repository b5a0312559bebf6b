package io.minimind.runtime;

import static io.minimind.runtime.CudaRuntime.check;
import static org.bytedeco.cuda.global.cudart.cudaMemcpy;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaAveragerTest {

  /** More than one piece of a transfer, and not a whole number of pieces. */
  private static final List<long[]> SHAPES =
      List.of(new long[] {1500, 1000}, new long[] {333}, new long[] {777, 1000});

  private final List<GradientBuffer> replicas = new ArrayList<>();

  @BeforeEach
  void requireGpu() {
    Optional<String> problem = Cuda.problem(Device.parse("cuda:0"));
    assumeTrue(problem.isEmpty(), problem::get);
  }

  @AfterEach
  void close() {
    replicas.forEach(GradientBuffer::close);
  }

  /** Three replicas, all on the first GPU. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void pinnedMemoryHoldsTheMean(int participants) {
    for (int i = 0; i < 3; i++) {
      replicas.add(GradientBuffer.allocate(new Device(Device.Kind.CUDA, 0), SHAPES));
    }
    try (Workers workers = new Workers(2)) {
      averages(gradients -> PinnedAverager.create(gradients, workers), participants, 0);
    }
  }

  /** A replica on every GPU, since NCCL takes none twice. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void ncclComputesTheMean(int participants) {
    assumeTrue(NcclAverager.isAvailable(), "NCCL is not installed.");
    for (int gpu = 0; Cuda.problem(List.of(new Device(Device.Kind.CUDA, gpu))).isEmpty(); gpu++) {
      replicas.add(GradientBuffer.allocate(new Device(Device.Kind.CUDA, gpu), SHAPES));
    }
    assumeTrue(
        participants <= replicas.size(), () -> "There are only " + replicas.size() + " GPUs.");
    averages(NcclAverager::create, participants, 1e-6);
  }

  /** Twice, because what is made for the first time must be good for the second. */
  private void averages(
      Function<List<GradientBuffer>, GradientAverager> create, int participants, double delta) {
    try (GradientAverager averager = create.apply(replicas)) {
      for (long seed = 0; seed < 2; seed++) {
        float[] mean = new float[Math.toIntExact(replicas.get(0).values().capacity())];
        for (int replica = 0; replica < replicas.size(); replica++) {
          float[] values = new float[mean.length];
          Random random = new Random(10 * seed + replica);
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
            mean[i] += replica < participants ? values[i] : 0;
          }
          write(values, replicas.get(replica));
        }
        averager.average(participants);
        for (int replica = 0; replica < replicas.size(); replica++) {
          float[] found = read(averager.mean(replica));
          for (int i = 0; i < mean.length; i++) {
            assertEquals(mean[i] / participants, found[i], delta, replica + ", " + i);
          }
        }
      }
    }
  }

  private static void write(float[] values, GradientBuffer into) {
    try (FloatPointer host = new FloatPointer(values)) {
      long bytes = (long) values.length * Float.BYTES;
      check(cudaMemcpy(into.values(), host, bytes, cudaMemcpyHostToDevice));
    }
  }

  private static float[] read(GradientBuffer from) {
    float[] values = new float[Math.toIntExact(from.values().capacity())];
    try (FloatPointer host = new FloatPointer(values.length)) {
      long bytes = (long) values.length * Float.BYTES;
      check(cudaMemcpy(host, from.values(), bytes, cudaMemcpyDeviceToHost));
      host.get(values);
    }
    return values;
  }
}

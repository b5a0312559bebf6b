package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions with kernels of this project and the threads that compute in them, or disturb them. */
class SessionThreadsTest {

  /** Large enough that products and pieces are divided among threads. */
  private static final ModelConfig CONFIG = ModelConfig.of(128, 2, 4, 2, 500, 64);

  private static ModelInTraining open(int threads) throws IOException {
    TrainingArtifacts graphs =
        new TrainingArtifacts(CONFIG).with(TrainingPrecision.FLOAT32, Device.CPU.target());
    return ModelInTraining.builder(graphs)
        .weights(new Parameters(CONFIG).start(7))
        .threads(threads)
        .openOne();
  }

  private static float step(ModelInTraining session, int index) {
    session.resetGradients();
    try (Batch batch = TinyModel.batch(index, 3, 61)) {
      float norm = session.trainStep(batch, 1, 0.5f).gradientNorm();
      session.optimizerStep(1e-3f);
      return norm;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16})
  void asManyThreadsComputeTheSameToTheBit(int threads) throws IOException {
    float[][] first = trained(threads);
    for (int again = 0; again < 2; again++) {
      float[][] second = trained(threads);
      for (int i = 0; i < first.length; i++) {
        assertArrayEquals(first[i], second[i]);
      }
    }
  }

  /** The norms of the gradients, and all weights after some updates. */
  private static float[][] trained(int threads) throws IOException {
    try (ModelInTraining session = open(threads);
        SharedWeights weights = session.weights()) {
      float[] norms = new float[4];
      for (int i = 0; i < norms.length; i++) {
        norms[i] = step(session, i);
      }
      float[][] all = new float[1 + weights.tensors().size()][];
      all[0] = norms;
      for (int i = 1; i < all.length; i++) {
        NamedTensor tensor = weights.tensors().get(i - 1);
        all[i] = Outputs.copy(tensor.floats());
      }
      return all;
    }
  }

  /** A pool that all of a process share would not ask how many threads a run may have. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void nothingIsComputedInACommonPool(int threads) throws IOException {
    Map<String, Long> before = timesOfPools();
    trained(threads);
    assertEquals(before, timesOfPools());
  }

  /** The processor time, in nanoseconds, of each thread of a pool that the process shares. */
  private static Map<String, Long> timesOfPools() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("ForkJoinPool"))
        .collect(
            Collectors.toMap(Thread::getName, thread -> threads.getThreadCpuTime(thread.getId())));
  }

  @Test
  void closingWaitsForTheStepThatRuns() throws Exception {
    int before = OwnKernels.open();
    for (int round = 0; round < 10; round++) {
      ModelInTraining session = open(2);
      CountDownLatch running = new CountDownLatch(1 + round % 3);
      CompletableFuture<Void> steps =
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; ; i++) {
                  step(session, i);
                  running.countDown();
                }
              });
      assertTrue(running.await(1, TimeUnit.MINUTES));
      session.close();
      ExecutionException e = assertThrows(ExecutionException.class, steps::get);
      assertEquals("The training session is closed.", e.getCause().getMessage());
      assertEquals(before, OwnKernels.open());
    }
  }

  @Test
  void anInterruptionIsLeftToWhoAsks() throws IOException {
    try (ModelInTraining session = open(2);
        ModelInTraining undisturbed = open(2)) {
      for (int i = 0; i < 3; i++) {
        Thread.currentThread().interrupt();
        float norm = step(session, i);
        assertTrue(Thread.interrupted(), "the interruption was lost");
        assertEquals(step(undisturbed, i), norm);
      }
      assertFalse(Thread.interrupted());
    }
  }
}

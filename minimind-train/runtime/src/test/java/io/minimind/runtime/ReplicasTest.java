package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.Target;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.ModelInTraining.Evaluation;
import io.minimind.runtime.ModelInTraining.Step;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicasTest {

  private static final int LENGTH = 12;
  private static final int ROWS = 2;
  private static final float MAX_NORM = 0.5f;
  private static final float RATE = 0.003f;

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    files = TinyModel.write(folder.resolve("model"), TinyModel.CONFIG, OptimizerSettings.DEFAULT);
  }

  private static List<Device> cpus(int count) {
    return Collections.nCopies(count, Device.CPU);
  }

  private static Batch part(int update, int replica) {
    return TinyModel.batch(1000L * update + replica, ROWS, LENGTH);
  }

  private static List<Batch> parts(int update, int count) {
    List<Batch> parts = new ArrayList<>();
    for (int replica = 0; replica < count; replica++) {
      parts.add(part(update, replica));
    }
    return parts;
  }

  /** All of an update's rows in one batch. */
  private static Batch joint(int update, int count) {
    int size = ROWS * LENGTH;
    long[] ids = new long[count * size];
    long[] labels = new long[count * size];
    float[] mask = new float[count * size];
    for (int replica = 0; replica < count; replica++) {
      Batch part = part(update, replica);
      part.inputIds().get(0, ids, replica * size, size);
      part.labels().get(0, labels, replica * size, size);
      part.lossMask().get(0, mask, replica * size, size);
    }
    return Batch.of(count * ROWS, LENGTH, ids, labels, mask);
  }

  private TrainingCheckpoint checkpoint(ModelInTraining model) throws IOException {
    Path file = folder.resolve("compared");
    model.saveCheckpoint(file);
    return TrainingCheckpoint.read(file);
  }

  /** The last parameter's gradient is there first, and that of the embedding last. */
  @Test
  void aStepAnnouncesItsGradientsInTheOrderOfTheBackwardPass() throws IOException {
    assumeTrue(OwnKernels.problem().isEmpty(), "The kernels that announce them need oneDNN.");
    TrainingArtifacts own =
        new TrainingArtifacts(TinyModel.CONFIG)
            .with(TrainingPrecision.FLOAT32, Target.CPU_WITH_OWN_KERNELS);
    ModelInTraining.Files announcing =
        TinyModel.write(folder.resolve("own"), TinyModel.CONFIG, own, OptimizerSettings.DEFAULT);
    List<Long> announced = new ArrayList<>();
    int before = GradientBuffer.ANNOUNCEMENTS.size();
    try (Replicas replicas = Replicas.open(announcing, cpus(2), 2)) {
      GradientBuffer gradients = replicas.all().get(0).gradients();
      GradientBuffer.ANNOUNCEMENTS.replaceAll(
          (address, arrival) ->
              () -> {
                if (address >= gradients.address(0)
                    && address <= gradients.address(gradients.count() - 1)) {
                  announced.add(address);
                }
                arrival.run();
              });
      replicas.resetGradients();
      replicas.trainStep(parts(0, 2), 1);
      assertEquals(gradients.count(), announced.size());
      assertEquals(gradients.address(0), announced.get(announced.size() - 1));
      assertEquals(gradients.address(gradients.count() - 1), announced.get(0));
    }
    assertEquals(before, GradientBuffer.ANNOUNCEMENTS.size());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void theyLearnWhatOneModelLearnsFromTheJointBatch(int count) throws IOException {
    double first = 0;
    double last = 0;
    try (Replicas replicas = Replicas.open(files, cpus(count), count);
        TrainingSession one = TrainingSession.open(files, 1)) {
      for (int update = 0; update < 50; update++) {
        replicas.resetGradients();
        Step step = replicas.lastTrainStep(parts(update % 5, count), 1, MAX_NORM);
        one.resetGradients();
        Step expected = one.trainStep(joint(update % 5, count), 1, MAX_NORM);
        assertEquals(expected.loss(), step.loss(), 1e-4, "update " + update);
        assertEquals(expected.gradientNorm(), step.gradientNorm(), 1e-3, "update " + update);
        replicas.optimizerStep(RATE);
        one.optimizerStep(RATE);
        requireEqual(replicas);
        first = update == 0 ? step.loss() : first;
        last = step.loss();
      }
      assertTrue(last < first - 0.5, "from " + first + " to " + last);
    }
  }

  /** Two on the first GPU, where sums may come out differently each time they are added up. */
  @Test
  void onAGpuTheyStayEqualAndLearnAsOnTheCpu() throws IOException {
    Device gpu = new Device(Device.Kind.CUDA, 0);
    Optional<String> problem = Cuda.problem(List.of(gpu));
    assumeTrue(problem.isEmpty(), problem::get);
    TrainingArtifacts artifacts =
        new TrainingArtifacts(TinyModel.CONFIG).with(TrainingPrecision.FLOAT32, Target.CUDA);
    ModelInTraining.Files onGpu =
        TinyModel.write(
            folder.resolve("gpu"), TinyModel.CONFIG, artifacts, OptimizerSettings.DEFAULT);
    try (Replicas found = Replicas.open(onGpu, List.of(gpu, gpu), 2, PinnedAverager::create);
        Replicas expected = Replicas.open(files, cpus(2), 2)) {
      for (int update = 0; update < 20; update++) {
        found.resetGradients();
        expected.resetGradients();
        Step step = found.lastTrainStep(parts(update % 5, 2), 1, MAX_NORM);
        Step wanted = expected.lastTrainStep(parts(update % 5, 2), 1, MAX_NORM);
        assertEquals(wanted.loss(), step.loss(), 2e-3, "update " + update);
        assertEquals(wanted.gradientNorm(), step.gradientNorm(), 1e-2, "update " + update);
        found.optimizerStep(RATE);
        expected.optimizerStep(RATE);
        requireEqual(found);
      }
    }
  }

  /** All replicas' own weights, to the bit. */
  private void requireEqual(Replicas replicas) throws IOException {
    List<List<NamedTensor>> weights = new ArrayList<>();
    for (Replica replica : replicas.all()) {
      Path file = folder.resolve("replica");
      replica.save(file);
      TrainingCheckpoint checkpoint = TrainingCheckpoint.read(file);
      weights.add(checkpoint.trainable());
      assertEquals(weights.get(0), checkpoint.trainable());
    }
    assertEquals(replicas.replicas(), weights.size());
  }

  @Test
  void aWindowIsAveragedOnce() throws IOException {
    try (Replicas replicas = Replicas.open(files, cpus(2), 2);
        TrainingSession one = TrainingSession.open(files, 1)) {
      replicas.resetGradients();
      Step first = replicas.trainStep(parts(0, 2), 0.5f);
      assertTrue(Float.isNaN(first.gradientNorm()));
      float norm = replicas.lastTrainStep(parts(1, 2), 0.5f, MAX_NORM).gradientNorm();
      replicas.optimizerStep(RATE);
      one.resetGradients();
      one.trainStep(joint(0, 2), 0.5f, Float.POSITIVE_INFINITY);
      Step expected = one.trainStep(joint(1, 2), 0.5f, MAX_NORM);
      one.optimizerStep(RATE);
      assertEquals(expected.gradientNorm(), norm, 1e-5);
      assertClose(checkpoint(one), checkpoint(replicas));
    }
  }

  /** The last window of an epoch: three micro-batches for two replicas, or one. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aReplicaMayHaveFewerBatches(int batches) throws IOException {
    try (Replicas replicas = Replicas.open(files, cpus(2), 2);
        TrainingSession one = TrainingSession.open(files, 1)) {
      // What it computed in the window before must not count.
      replicas.resetGradients();
      replicas.lastTrainStep(parts(9, 2), 1, MAX_NORM);
      replicas.resetGradients();
      one.resetGradients();
      List<Batch> all = parts(0, batches);
      float scale = (float) Math.min(batches, 2) / batches;
      if (batches == 3) {
        replicas.trainStep(all.subList(0, 2), scale);
      }
      replicas.lastTrainStep(all.subList(batches - 1, batches), scale, MAX_NORM);
      for (Batch batch : all) {
        boolean last = batch == all.get(batches - 1);
        one.trainStep(batch, 1f / batches, last ? MAX_NORM : Float.POSITIVE_INFINITY);
      }
      replicas.optimizerStep(RATE);
      one.optimizerStep(RATE);
      assertClose(checkpoint(one), checkpoint(replicas));
      requireEqual(replicas);
    }
  }

  private static void assertClose(TrainingCheckpoint expected, TrainingCheckpoint found) {
    for (int i = 0; i < expected.trainable().size(); i++) {
      NamedTensor tensor = expected.trainable().get(i);
      for (int j = 0; j < tensor.elements(); j++) {
        // Adam's first step is the learning rate times the gradient's sign, nearly.
        assertEquals(
            tensor.floats().get(j), found.trainable().get(i).floats().get(j), 1e-4, tensor.name());
      }
    }
  }

  @Test
  void theyTrainToTheSameBitsAndGoOnFromACheckpoint() throws IOException {
    Path saved = folder.resolve("saved");
    TrainingCheckpoint end;
    try (Replicas replicas = Replicas.open(files, cpus(2), 2)) {
      train(replicas, 0, 4);
      replicas.saveCheckpoint(saved);
      train(replicas, 4, 8);
      end = checkpoint(replicas);
    }
    try (Replicas replicas = Replicas.open(TinyModel.at(files, saved), cpus(2), 2)) {
      train(replicas, 4, 8);
      assertEquals(end, checkpoint(replicas));
    }
    // On another number of devices, too.
    try (TrainingSession one = TrainingSession.open(TinyModel.at(files, saved), 1)) {
      assertEquals(TrainingCheckpoint.read(saved), checkpoint(one));
      for (int update = 4; update < 8; update++) {
        one.resetGradients();
        one.trainStep(joint(update, 2), 1, MAX_NORM);
        one.optimizerStep(RATE);
      }
      assertClose(end, checkpoint(one));
    }
  }

  private static void train(Replicas replicas, int from, int to) {
    for (int update = from; update < to; update++) {
      replicas.resetGradients();
      replicas.lastTrainStep(parts(update, 2), 1, MAX_NORM);
      replicas.optimizerStep(RATE);
    }
  }

  @Test
  void eachReplicaEvaluatesABatch() {
    try (Replicas replicas = Replicas.open(files, cpus(3), 3);
        TrainingSession one = TrainingSession.open(files, 1)) {
      for (int count = 1; count <= 3; count++) {
        List<Evaluation> found = replicas.evaluate(parts(0, count));
        List<Evaluation> expected = parts(0, count).stream().map(one::evaluate).toList();
        assertEquals(expected, found);
      }
    }
  }

  @Test
  void aReplicaThatFailsStopsAll() {
    long[] ids = {TinyModel.CONFIG.vocabularySize()};
    Batch impossible = Batch.of(1, 1, ids, new long[] {1}, new float[] {1});
    try (Replicas replicas = Replicas.open(files, cpus(2), 2)) {
      replicas.resetGradients();
      OnnxRuntimeException failure =
          assertThrows(
              OnnxRuntimeException.class,
              () -> replicas.lastTrainStep(List.of(part(0, 0), impossible), 1, MAX_NORM));
      assertTrue(failure.getMessage().contains("1 of 2 (cpu)"), failure.getMessage());
    }
  }

  @Test
  void anAverageThatFailsStopsAll() {
    AtomicBoolean closed = new AtomicBoolean();
    try (Replicas replicas =
        Replicas.open(files, cpus(2), 2, (gradients, workers) -> new Failing(gradients, closed))) {
      replicas.resetGradients();
      OnnxRuntimeException failure =
          assertThrows(
              OnnxRuntimeException.class, () -> replicas.lastTrainStep(parts(0, 2), 1, MAX_NORM));
      assertTrue(failure.getMessage().contains("by cable stopped all: It broke."), "" + failure);
      assertThrows(IllegalStateException.class, () -> replicas.optimizerStep(RATE));
    }
    assertTrue(closed.get(), "the averager is closed");
  }

  private record Failing(List<GradientBuffer> gradients, AtomicBoolean closed)
      implements GradientAverager {

    @Override
    public void average(int participants) {
      throw new OnnxRuntimeException("It broke.");
    }

    @Override
    public GradientBuffer mean(int replica) {
      return gradients.get(replica);
    }

    @Override
    public void close() {
      closed.set(true);
    }

    @Override
    public String toString() {
      return "by cable";
    }
  }

  @Test
  void replicasThatDifferAreNotedAndNotSaved() {
    try (Replicas replicas = Replicas.open(files, cpus(2), 2)) {
      train(replicas, 0, 1);
      // An update that one of them makes alone.
      replicas.all().get(1).optimizerStep(RATE);
      Path file = folder.resolve("different");
      String message =
          assertThrows(OnnxRuntimeException.class, () -> replicas.saveCheckpoint(file))
              .getMessage();
      assertTrue(message.contains("replica 1"), message);
      assertTrue(java.nio.file.Files.notExists(file));
      assertThrows(OnnxRuntimeException.class, () -> train(replicas, 1, 2));
    }
  }

  /** Whoever computes meanwhile is told, at whatever moment it is. */
  @RepeatedTest(10)
  void closedWhileAnotherThreadComputesTheySaySo() throws InterruptedException {
    Replicas replicas = Replicas.open(files, cpus(2), 2);
    CountDownLatch computed = new CountDownLatch(1);
    AtomicReference<RuntimeException> failure = new AtomicReference<>();
    Thread other =
        new Thread(
            () -> {
              try {
                while (true) {
                  replicas.evaluate(parts(1, 2));
                  computed.countDown();
                }
              } catch (RuntimeException e) {
                failure.set(e);
              }
            });
    other.start();
    computed.await();
    replicas.close();
    other.join();
    assertEquals("The replicas are closed.", failure.get().getMessage());
  }

  @Test
  void closingTwiceDoesNoHarm() {
    Replicas replicas = Replicas.open(files, cpus(2), 2);
    replicas.close();
    replicas.close();
    assertThrows(IllegalStateException.class, replicas::resetGradients);
  }
}

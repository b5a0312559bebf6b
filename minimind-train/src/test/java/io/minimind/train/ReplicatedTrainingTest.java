package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.Objective;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Samples;
import io.minimind.files.JavaProcess;
import io.minimind.runtime.DeadlyReplicas;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.OnnxRuntimeException;
import io.minimind.runtime.TinyModel;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that begin on three devices: 23 rows, the last joint batch of an epoch is short. */
class ReplicatedTrainingTest {

  private static final int DEVICES = 3;
  private static final TrainingSettings SETTINGS =
      new TrainingSettings(
          3,
          2,
          DEVICES,
          2,
          0.01f,
          2,
          LearningRateSchedule.cosine(),
          OptimizerSettings.DEFAULT,
          5,
          Long.MAX_VALUE,
          4,
          3,
          100);
  private static final Samples SAMPLES = TinyModel.samples(1, 23);
  private static final Samples HELD_OUT = TinyModel.samples(2, 11);
  private static final BooleanSupplier NEVER = () -> false;

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    files = TinyModel.write(folder.resolve("model"), TinyModel.CONFIG, OptimizerSettings.DEFAULT);
  }

  private static final class Losses implements TrainingListener {
    final List<Double> training = new ArrayList<>();
    final List<Double> validation = new ArrayList<>();
    final List<Double> learningRates = new ArrayList<>();

    @Override
    public void updated(Update update) {
      training.add(update.loss());
      learningRates.add(update.learningRate());
    }

    @Override
    public void validated(TrainingState state, Map<String, Double> metrics) {
      validation.add(state.validationLoss().orElseThrow());
    }
  }

  @FunctionalInterface
  private interface Opener {
    ModelInTraining open(ModelInTraining.Files files);
  }

  private static Opener on(int devices) {
    return files -> files.open(Collections.nCopies(devices, Device.CPU), devices);
  }

  private static boolean train(
      ModelInTraining.Files files,
      Opener opener,
      CheckpointStore store,
      Samples samples,
      BooleanSupplier interrupted,
      TrainingListener... listeners)
      throws IOException {
    Optional<Path> latest = store.latest();
    TrainingState from =
        latest.isPresent() ? CheckpointStore.verify(latest.get()) : TrainingState.START;
    Path checkpoint = latest.map(saved -> saved.resolve("checkpoint")).orElse(files.checkpoint());
    ModelInTraining.Files at = TinyModel.at(files, checkpoint);
    try (ModelInTraining model = opener.open(at)) {
      return new Trainer(
              SETTINGS,
              new Objective.NextToken(),
              model,
              TinyBatches.of(samples, SETTINGS.batchSize(), DEVICES, SETTINGS.seed()),
              Optional.of(TinyBatches.of(HELD_OUT, 2, 1, 0)),
              store,
              List.of(listeners))
          .run(from, new byte[0], interrupted);
    }
  }

  private boolean train(
      int devices,
      CheckpointStore store,
      BooleanSupplier interrupted,
      TrainingListener... listeners)
      throws IOException {
    return train(files, on(devices), store, SAMPLES, interrupted, listeners);
  }

  private CheckpointStore store(String name) {
    return new CheckpointStore(folder.resolve(name), 100);
  }

  private static TrainingCheckpoint weights(CheckpointStore store) throws IOException {
    return TrainingCheckpoint.read(store.latest().orElseThrow().resolve("checkpoint"));
  }

  @Test
  void anyNumberOfDevicesGoesThroughTheSameUpdates() throws IOException {
    Losses expected = new Losses();
    assertTrue(train(DEVICES, store("three"), NEVER, expected));
    // 12 micro-batches an epoch, the last three of which are the short ones; six make an update.
    assertEquals(3 * 2, expected.training.size());
    for (int devices : new int[] {1, 2, 5}) {
      Losses found = new Losses();
      CheckpointStore store = store("on " + devices);
      assertTrue(train(devices, store, NEVER, found));
      assertClose(expected.training, found.training);
      assertClose(expected.validation, found.validation);
      assertEquals(expected.learningRates, found.learningRates);
      TrainingState end = CheckpointStore.verify(store.latest().orElseThrow());
      assertEquals(
          CheckpointStore.verify(store("three").latest().orElseThrow()).tokens(), end.tokens());
    }
  }

  private static void assertClose(List<Double> expected, List<Double> found) {
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i), found.get(i), 1e-4, "number " + i);
    }
  }

  @Test
  void anInterruptionAnywhereChangesNothing() throws IOException {
    CheckpointStore whole = store("whole");
    assertTrue(train(2, whole, NEVER));
    boolean interrupted = true;
    for (int asks = 0; interrupted; asks++) {
      CheckpointStore store = store("interrupted " + asks);
      AtomicInteger left = new AtomicInteger(asks);
      interrupted = !train(2, store, () -> left.getAndDecrement() <= 0);
      assertTrue(!interrupted || train(2, store, NEVER));
      assertEquals(weights(whole), weights(store), "after " + asks + " questions");
    }
  }

  @Test
  void aRunGoesOnOnAnotherNumberOfDevices() throws IOException {
    Losses whole = new Losses();
    train(3, store("whole"), NEVER, whole);
    Losses moved = new Losses();
    CheckpointStore store = store("moved");
    int devices = 0;
    AtomicInteger left = new AtomicInteger(3);
    while (!train(1 + devices++ % 4, store, () -> left.getAndDecrement() <= 0, moved)) {
      left.set(3);
    }
    assertTrue(devices > 3, "it was moved " + devices + " times");
    assertClose(whole.training, moved.training);
  }

  /** A sample that the model cannot compute with, which one of the replicas gets. */
  @Test
  void whenAReplicaFailsTheLastCheckpointIsWhole() throws IOException {
    CheckpointStore whole = store("whole");
    train(2, whole, NEVER);
    // An id that the vocabulary does not have.
    Samples damaged =
        TinyModel.damaged(SAMPLES, 11, ids -> ids[0] = TinyModel.CONFIG.vocabularySize());
    CheckpointStore store = store("failed");
    Losses losses = new Losses();
    // From the fourth update on: what was trained before must be there.
    assertFalse(train(2, store, () -> losses.training.size() == 4, losses));
    TrainingCheckpoint before = weights(store);
    OnnxRuntimeException failure =
        assertThrows(OnnxRuntimeException.class, () -> train(files, on(2), store, damaged, NEVER));
    assertTrue(failure.getMessage().contains(" of 2 (cpu) stopped all: "), failure.getMessage());
    assertEquals(before, weights(store));
    assertTrue(train(2, store, NEVER));
    assertEquals(weights(whole), weights(store));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void killedWhileItAveragesARunEndsTheSame(int updates) throws Exception {
    CheckpointStore whole = store("whole");
    train(2, whole, NEVER);
    JavaProcess.Result result =
        JavaProcess.of(
                Killed.class,
                files.checkpoint(),
                files.artifacts(),
                folder.resolve("killed"),
                updates)
            .with("--enable-native-access=ALL-UNNAMED")
            .run();
    assertNotEquals(0, result.status());
    assertTrue(result.output().endsWith("averaging"), result.output());
    CheckpointStore store = store("killed");
    // With a checkpoint every third update.
    assertEquals(updates == 4, store.latest().isPresent());
    assertTrue(train(2, store, NEVER));
    assertEquals(weights(whole), weights(store));
  }

  /** Trains until the process is killed half-way through an average. */
  static final class Killed {
    public static void main(String[] args) throws IOException {
      ModelInTraining.Files files =
          new ModelInTraining.Files(Path.of(args[0]), Path.of(args[1]), List.of());
      AtomicInteger left = new AtomicInteger(Integer.parseInt(args[3]));
      train(
          files,
          at -> DeadlyReplicas.open(at, List.of(Device.CPU, Device.CPU), left),
          new CheckpointStore(Path.of(args[2]), 100),
          SAMPLES,
          NEVER);
    }
  }
}

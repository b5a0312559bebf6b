package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.Objective;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.Samples;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.ModelInTraining.Step;
import io.minimind.runtime.TinyModel;
import io.minimind.task.BatchSource;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Seven micro-batches an epoch, windows of two: the last window of an epoch has one. */
class TrainerTest {

  private static final int EPOCHS = 3;
  private static final int BATCHES = 7;
  private static final int UPDATES = EPOCHS * 4;
  private static final Samples SAMPLES = TinyModel.samples(1, 3 * BATCHES - 1);
  private static final Samples HELD_OUT = TinyModel.samples(2, 11);
  private static final BooleanSupplier NEVER = () -> false;

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    files = TinyModel.write(folder.resolve("model"), TinyModel.CONFIG, OptimizerSettings.DEFAULT);
  }

  private static TrainingSettings settings(
      int accumulation, float learningRate, long maxUpdates, int validateEvery, int saveEvery) {
    return new TrainingSettings(
        EPOCHS,
        3,
        1,
        accumulation,
        learningRate,
        2,
        LearningRateSchedule.cosine(),
        OptimizerSettings.DEFAULT,
        5,
        maxUpdates,
        validateEvery,
        saveEvery,
        2);
  }

  private static BatchOrder order(Samples samples, TrainingSettings settings) {
    return BatchOrder.of(samples, settings.batchSize(), settings.seed());
  }

  private static BatchSource batches(Samples samples, TrainingSettings settings)
      throws IOException {
    return TinyBatches.of(samples, settings.batchSize(), 1, settings.seed());
  }

  private CheckpointStore store(String name) {
    return new CheckpointStore(folder.resolve(name), 2);
  }

  /** Trains from the last checkpoint of a store, or from the start weights. */
  private boolean train(
      TrainingSettings settings,
      CheckpointStore store,
      BooleanSupplier interrupted,
      TrainingListener... listeners)
      throws IOException {
    Optional<Path> latest = store.latest();
    TrainingState from =
        latest.isPresent() ? CheckpointStore.verify(latest.get()) : TrainingState.START;
    Path checkpoint = latest.map(saved -> saved.resolve("checkpoint")).orElse(files.checkpoint());
    try (ModelInTraining session = TinyModel.at(files, checkpoint).open(List.of(Device.CPU), 2)) {
      return new Trainer(
              settings,
              new Objective.NextToken(),
              session,
              batches(SAMPLES, settings),
              Optional.of(TinyBatches.of(HELD_OUT, 3, 1, 0)),
              store,
              List.of(listeners))
          .run(from, new byte[0], interrupted);
    }
  }

  private static TrainingCheckpoint weights(CheckpointStore store) throws IOException {
    return TrainingCheckpoint.read(store.latest().orElseThrow().resolve("checkpoint"));
  }

  private static TrainingState state(CheckpointStore store) throws IOException {
    return CheckpointStore.verify(store.latest().orElseThrow());
  }

  /** Collects what a run tells its listeners. */
  private static final class Recorder implements TrainingListener {
    final List<String> events = new ArrayList<>();
    final List<Update> updates = new ArrayList<>();
    final List<Double> validationLosses = new ArrayList<>();
    final List<Double> perplexities = new ArrayList<>();

    @Override
    public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from) {
      events.add("started " + batchesPerEpoch + " from " + from.update());
    }

    @Override
    public void updated(Update update) {
      events.add("updated " + update.state().update());
      updates.add(update);
    }

    @Override
    public void validated(TrainingState state, Map<String, Double> metrics) {
      events.add("validated " + state.update());
      validationLosses.add(state.validationLoss().orElseThrow());
      perplexities.add(metrics.get("perplexity"));
    }

    @Override
    public void saved(TrainingState state, Path checkpoint) {
      assertTrue(checkpoint.endsWith("update-%08d".formatted(state.update())));
      events.add("saved " + state.update());
    }

    @Override
    public void finished(TrainingState state, boolean complete) {
      events.add((complete ? "complete " : "interrupted ") + state.update());
    }
  }

  @Test
  void noMicroBatchIsLost() throws IOException {
    TrainingSettings settings = settings(2, 0.01f, Long.MAX_VALUE, 100, 100);
    Recorder recorder = new Recorder();
    assertTrue(train(settings, store("run"), NEVER, recorder));
    assertEquals(UPDATES, recorder.updates.size());
    long[] tokens = new long[EPOCHS];
    for (int i = 0; i < UPDATES; i++) {
      TrainingListener.Update update = recorder.updates.get(i);
      assertEquals(i / 4, update.epoch());
      assertEquals(List.of(1L, 3L, 5L, 6L).get(i % 4), update.batch());
      assertEquals(i + 1, update.state().update());
      assertTrue(update.positions() >= update.tokens());
      tokens[update.epoch()] += update.tokens();
    }
    long corpus = 0;
    for (long i = 0; i < SAMPLES.size(); i++) {
      corpus += SAMPLES.length(i) - 1;
    }
    for (long epoch : tokens) {
      assertEquals(corpus, epoch);
    }
    TrainingState end = recorder.updates.get(UPDATES - 1).state();
    assertEquals(EPOCHS * corpus, end.tokens());
    assertEquals(EPOCHS, end.epoch());
    assertEquals(0, end.batch());
    double seconds = recorder.updates.stream().mapToDouble(TrainingListener.Update::seconds).sum();
    assertEquals(seconds, end.seconds(), 1e-9);
  }

  /** The trainer must do what these loops say, to the bit. */
  @Test
  void aWindowIsAveragedOverItsOwnMicroBatches() throws IOException {
    TrainingSettings settings = settings(2, 0.01f, Long.MAX_VALUE, 100, 100);
    Recorder recorder = new Recorder();
    CheckpointStore store = store("run");
    train(settings, store, NEVER, recorder);
    LearningRateSchedule schedule = LearningRateSchedule.cosine();
    int update = 0;
    try (ModelInTraining session = files.open(List.of(Device.CPU), 2)) {
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        try (BatchLoader loader = BatchLoader.start(order(SAMPLES, settings), epoch, 0)) {
          for (int[] window : new int[][] {{0, 1}, {2, 3}, {4, 5}, {6}}) {
            session.resetGradients();
            double loss = 0;
            Step step = null;
            for (int unused : window) {
              boolean end = step != null || window.length == 1;
              float limit = end ? 1 : Float.POSITIVE_INFINITY;
              step = session.trainStep(loader.next().orElseThrow(), 1f / window.length, limit);
              loss += step.loss() / (double) window.length;
            }
            int last = window[window.length - 1];
            float rate = schedule.at(epoch * BATCHES + last, 0.01f, 2, EPOCHS * BATCHES);
            session.optimizerStep(rate);
            TrainingListener.Update found = recorder.updates.get(update++);
            assertEquals(loss, found.loss(), 1e-12);
            assertEquals(step.gradientNorm(), found.gradientNorm());
            assertEquals(rate, found.learningRate());
          }
        }
      }
      Path expected = folder.resolve("expected");
      session.saveCheckpoint(expected);
      assertEquals(TrainingCheckpoint.read(expected), weights(store));
    }
  }

  @Test
  void listenersAreToldInOrder() throws IOException {
    Recorder recorder = new Recorder();
    train(settings(3, 0.01f, Long.MAX_VALUE, 2, 3), store("run"), NEVER, recorder);
    List<String> expected = new ArrayList<>(List.of("started 7 from 0"));
    double best = Double.POSITIVE_INFINITY;
    int validations = 0;
    for (int update = 1; update <= 9; update++) {
      expected.add("updated " + update);
      boolean save = update % 3 == 0;
      if (update % 2 == 0 || update == 9) {
        expected.add("validated " + update);
        double loss = recorder.validationLosses.get(validations++);
        save |= loss < best;
        best = Math.min(best, loss);
      }
      if (save) {
        expected.add("saved " + update);
      }
    }
    expected.add("complete 9");
    assertEquals(expected, recorder.events);
  }

  @Test
  void theStateOfTheBestValidationIsKept() throws IOException {
    CheckpointStore store = store("run");
    Recorder recorder = new Recorder();
    // Far too fast after a good start, so that the validation loss rises again.
    train(settings(1, 0.05f, Long.MAX_VALUE, 1, 100), store, NEVER, recorder);
    double best = recorder.validationLosses.stream().mapToDouble(loss -> loss).min().orElseThrow();
    int at = recorder.validationLosses.indexOf(best);
    assertTrue(at < EPOCHS * BATCHES - 3, "the test must have its best validation early");
    Path kept = store.best().orElseThrow();
    TrainingState state = CheckpointStore.verify(kept);
    assertEquals(at + 1, state.update());
    assertEquals(OptionalDouble.of(best), state.validationLoss());
    assertEquals(OptionalDouble.of(best), state(store).bestValidationLoss());
    Path checkpoint = kept.resolve("checkpoint");
    try (ModelInTraining session = TinyModel.at(files, checkpoint).open(List.of(Device.CPU), 2)) {
      assertEquals(best, jointLoss(session), 1e-5 * best);
    }
  }

  @Test
  void theValidationLossIsThatOfOneLargeBatch() throws IOException {
    CheckpointStore store = store("run");
    Recorder recorder = new Recorder();
    train(settings(2, 0.01f, 3, 100, 100), store, NEVER, recorder);
    Path checkpoint = store.latest().orElseThrow().resolve("checkpoint");
    try (ModelInTraining session = TinyModel.at(files, checkpoint).open(List.of(Device.CPU), 1)) {
      double expected = jointLoss(session);
      assertEquals(expected, recorder.validationLosses.get(0), 1e-5 * expected);
      assertEquals(Math.exp(expected), recorder.perplexities.get(0), 1e-3);
    }
  }

  private static double jointLoss(ModelInTraining session) throws IOException {
    BatchOrder all = BatchOrder.of(HELD_OUT, (int) HELD_OUT.size(), 0);
    try (BatchLoader loader = BatchLoader.start(all, 0, 0);
        Batch batch = loader.next().orElseThrow()) {
      return session.evaluate(batch).loss();
    }
  }

  @Test
  void endsEarlyAfterTheLargestNumberOfUpdates() throws IOException {
    CheckpointStore store = store("run");
    Recorder recorder = new Recorder();
    assertTrue(train(settings(2, 0.01f, 5, 100, 100), store, NEVER, recorder));
    assertEquals(
        List.of("validated 5", "saved 5", "complete 5"),
        recorder.events.subList(recorder.events.size() - 3, recorder.events.size()));
    assertEquals(5, state(store).update());
    // The schedule is that of the whole run: ending early does not cool down.
    LearningRateSchedule schedule = LearningRateSchedule.cosine();
    assertEquals(
        schedule.at(BATCHES + 1, 0.01f, 2, EPOCHS * BATCHES),
        recorder.updates.get(4).learningRate());
  }

  @Test
  void aCompleteRunIsLeftAsItIs() throws IOException {
    TrainingSettings settings = settings(2, 0.01f, Long.MAX_VALUE, 100, 100);
    CheckpointStore store = store("run");
    train(settings, store, NEVER);
    TrainingCheckpoint end = weights(store);
    Recorder recorder = new Recorder();
    assertTrue(train(settings, store, NEVER, recorder));
    assertEquals(List.of("started 7 from 12", "complete 12"), recorder.events);
    assertEquals(end, weights(store));
  }

  /** Asks count as they come: an interruption is possible wherever the trainer asks for one. */
  private static BooleanSupplier afterAsks(int asks) {
    AtomicInteger left = new AtomicInteger(asks);
    return () -> left.getAndDecrement() <= 0;
  }

  @Test
  void anInterruptionAnywhereChangesNothing() throws IOException {
    TrainingSettings settings = settings(2, 0.01f, Long.MAX_VALUE, 3, 2);
    CheckpointStore whole = store("whole");
    Recorder uninterrupted = new Recorder();
    train(settings, whole, NEVER, uninterrupted);
    TrainingCheckpoint expected = weights(whole);
    boolean interrupted = true;
    int asks = 0;
    for (; interrupted; asks++) {
      CheckpointStore store = store("interrupted-" + asks);
      Recorder recorder = new Recorder();
      interrupted = !train(settings, store, afterAsks(asks), recorder);
      if (interrupted) {
        String last = recorder.events.get(recorder.events.size() - 1);
        assertEquals("interrupted " + recorder.updates.size(), last);
        if (!recorder.updates.isEmpty()) {
          assertEquals(recorder.updates.size(), state(store).update());
        }
        assertTrue(train(settings, store, NEVER, recorder));
      }
      assertTrue(expected.equals(weights(store)), "after " + asks + " questions");
      assertRepeats(uninterrupted, recorder);
      assertEquals(state(whole).tokens(), state(store).tokens());
      assertEquals(state(whole).bestValidationLoss(), state(store).bestValidationLoss());
    }
    int heldOut = 4 * uninterrupted.validationLosses.size();
    assertTrue(asks > EPOCHS * BATCHES + heldOut, "asked before every micro-batch: " + asks);
  }

  @Test
  void manyInterruptionsChangeNothing() throws IOException {
    TrainingSettings settings = settings(2, 0.01f, Long.MAX_VALUE, 3, 5);
    CheckpointStore whole = store("whole");
    Recorder uninterrupted = new Recorder();
    train(settings, whole, NEVER, uninterrupted);
    CheckpointStore store = store("interrupted");
    Recorder recorder = new Recorder();
    int sessions = 1;
    while (!train(settings, store, afterAsks(4), recorder)) {
      sessions++;
    }
    assertTrue(sessions > 5);
    assertEquals(weights(whole), weights(store));
    assertRepeats(uninterrupted, recorder);
  }

  /** Updates and validations are the same, none missing and none twice. */
  private static void assertRepeats(Recorder expected, Recorder found) {
    assertEquals(expected.validationLosses, found.validationLosses);
    assertEquals(expected.updates.size(), found.updates.size());
    for (int i = 0; i < expected.updates.size(); i++) {
      TrainingListener.Update a = expected.updates.get(i);
      TrainingListener.Update b = found.updates.get(i);
      assertEquals(a.epoch(), b.epoch());
      assertEquals(a.batch(), b.batch());
      assertEquals(a.loss(), b.loss());
      assertEquals(a.gradientNorm(), b.gradientNorm());
      assertEquals(a.learningRate(), b.learningRate());
      assertEquals(a.tokens(), b.tokens());
    }
  }

  @Test
  void aLossThatIsNoNumberEndsTheRun() throws IOException {
    CheckpointStore store = store("run");
    store.save(
        TrainingState.START, file -> TrainingCheckpoint.read(files.checkpoint()).write(file));
    Recorder recorder = new Recorder();
    IOException e =
        assertThrows(
            IOException.class,
            () -> train(settings(1, 1e30f, Long.MAX_VALUE, 100, 100), store, NEVER, recorder));
    assertTrue(
        e.getMessage()
            .matches(
                "The (loss|gradient) is no longer a number after [1-3] updates: start a new run"
                    + " with a lower learning rate. The checkpoints up to here are kept."),
        e.getMessage());
    assertTrue(recorder.updates.stream().allMatch(update -> Double.isFinite(update.loss())));
    assertEquals(TrainingState.START, state(store));
    assertEquals(TrainingCheckpoint.read(files.checkpoint()), weights(store));
  }

  @Test
  void weightsWithoutAValidationLossAreNotSaved() throws IOException {
    // The first update takes the weights beyond the largest number.
    OptimizerSettings decay = OptimizerSettings.DEFAULT.withWeightDecay(1e6f);
    files = TinyModel.write(folder.resolve("decay"), TinyModel.CONFIG, decay);
    CheckpointStore store = store("run");
    store.save(
        TrainingState.START, file -> TrainingCheckpoint.read(files.checkpoint()).write(file));
    IOException e =
        assertThrows(
            IOException.class, () -> train(settings(1, 1e37f, Long.MAX_VALUE, 1, 1), store, NEVER));
    assertTrue(
        e.getMessage().startsWith("The validation loss is no longer a number after 1 updates: "),
        e.getMessage());
    assertEquals(TrainingState.START, state(store));
  }

  @Test
  void aBrokenSampleEndsTheRunWithItsMessage() throws IOException {
    Samples broken =
        TinyModel.damaged(
            SAMPLES,
            4,
            ids -> {
              throw new IOException("sample 4 is damaged");
            });
    TrainingSettings settings = settings(2, 0.01f, Long.MAX_VALUE, 100, 100);
    CheckpointStore store = store("run");
    try (ModelInTraining session = files.open(List.of(Device.CPU), 1)) {
      Trainer trainer =
          new Trainer(
              settings,
              new Objective.NextToken(),
              session,
              batches(broken, settings),
              Optional.empty(),
              store,
              List.of());
      IOException e =
          assertThrows(
              IOException.class, () -> trainer.run(TrainingState.START, new byte[0], NEVER));
      assertEquals("sample 4 is damaged", e.getMessage());
    }
    TrainingState saved = CheckpointStore.verify(store.latest().orElseThrow());
    assertTrue(saved.update() > 0, "what was learnt before is not lost");
  }
}

package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.Objective;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.data.Samples;
import io.minimind.files.JavaProcess;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TinyModel;
import io.minimind.task.BatchSource;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches that follow from the weights and from what came before. */
@Timeout(300)
class BatchSourceTest {

  private static final int EPOCHS = 2;
  private static final int BATCHES = 5;
  private static final Samples SAMPLES = TinyModel.samples(1, 20);
  private static final BooleanSupplier NEVER = () -> false;

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    files = TinyModel.write(folder.resolve("model"), TinyModel.CONFIG, OptimizerSettings.DEFAULT);
  }

  /**
   * Of some samples those that the model knows least; less so the more often they came before,
   * which is what it keeps.
   *
   * @param calls counts the batches that were asked for; the process ends before the first that is
   *     none
   */
  private record Hardest(AtomicInteger calls) implements BatchSource {

    private static final int CANDIDATES = 6;
    private static final int ROWS = 2;

    @Override
    public long batches() {
      return BATCHES;
    }

    @Override
    public Batches open(Place from, ModelInTraining model) {
      int[] given = new int[(int) SAMPLES.size()];
      if (from.state().length > 0) {
        ByteBuffer.wrap(from.state()).asIntBuffer().get(given);
      }
      return new Batches() {
        private long number = from.batch();

        @Override
        public Batch next() throws IOException {
          if (calls.getAndDecrement() == 0) {
            Runtime.getRuntime().halt(137); // Nothing gets a chance to tidy up.
          }
          Random random = new Random(100L * from.epoch() + number++);
          List<Long> candidates = new ArrayList<>();
          for (long sample : random.longs(CANDIDATES, 0, SAMPLES.size()).toArray()) {
            candidates.add(sample);
          }
          double[] hardness = new double[given.length];
          for (long sample : candidates) {
            try (Batch alone = Batch.of(SAMPLES, sample)) {
              float loss = model.evaluate(List.of(alone)).get(0).loss();
              hardness[(int) sample] = loss - 0.5 * given[(int) sample];
            }
          }
          candidates.sort(Comparator.comparingDouble(sample -> -hardness[sample.intValue()]));
          long[] chosen = LongStream.range(0, ROWS).map(i -> candidates.get((int) i)).toArray();
          LongStream.of(chosen).forEach(sample -> given[(int) sample]++);
          return Batch.of(SAMPLES, chosen);
        }

        @Override
        public byte[] state() {
          ByteBuffer state = ByteBuffer.allocate(given.length * Integer.BYTES);
          state.asIntBuffer().put(given);
          return state.array();
        }

        @Override
        public void close() {}
      };
    }
  }

  private CheckpointStore store(String name) {
    return new CheckpointStore(folder.resolve(name), 100);
  }

  private boolean train(
      CheckpointStore store, int devices, BooleanSupplier interrupted, List<Double> losses)
      throws IOException {
    return train(files, store, devices, new AtomicInteger(Integer.MAX_VALUE), interrupted, losses);
  }

  /** Trains from the last checkpoint of a store, or from the start weights. */
  private static boolean train(
      ModelInTraining.Files files,
      CheckpointStore store,
      int devices,
      AtomicInteger calls,
      BooleanSupplier interrupted,
      List<Double> losses)
      throws IOException {
    Optional<Path> latest = store.latest();
    TrainingState from =
        latest.isPresent() ? CheckpointStore.verify(latest.get()) : TrainingState.START;
    byte[] kept = latest.isPresent() ? CheckpointStore.batches(latest.get()) : new byte[0];
    Path checkpoint = latest.map(saved -> saved.resolve("checkpoint")).orElse(files.checkpoint());
    TrainingSettings settings =
        new TrainingSettings(
            EPOCHS,
            Hardest.ROWS,
            devices,
            2,
            0.02f,
            1,
            LearningRateSchedule.cosine(),
            OptimizerSettings.DEFAULT,
            5,
            Long.MAX_VALUE,
            2,
            2,
            100);
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void updated(Update update) {
            losses.add(update.loss());
          }
        };
    ModelInTraining.Files start = TinyModel.at(files, checkpoint);
    try (ModelInTraining model =
        devices == 1
            ? start.open(List.of(Device.CPU), 1)
            : start.open(List.of(Device.CPU, Device.CPU), 2)) {
      return new Trainer(
              settings,
              new Objective.NextToken(),
              model,
              new Hardest(calls),
              Optional.of(new Hardest(new AtomicInteger(Integer.MAX_VALUE))),
              store,
              List.of(listener))
          .run(from, kept, interrupted);
    }
  }

  private static TrainingCheckpoint weights(CheckpointStore store) throws IOException {
    return TrainingCheckpoint.read(store.latest().orElseThrow().resolve("checkpoint"));
  }

  private static BooleanSupplier afterAsks(int asks) {
    AtomicInteger left = new AtomicInteger(asks);
    return () -> left.getAndDecrement() <= 0;
  }

  /** Also in the middle of a window, whose first batch the source has then given in vain. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void anInterruptionAnywhereChangesNothing(int devices) throws IOException {
    CheckpointStore whole = store("whole");
    List<Double> expected = new ArrayList<>();
    train(whole, devices, NEVER, expected);
    boolean interrupted = true;
    int asks = 0;
    for (; interrupted; asks += devices) {
      CheckpointStore store = store("interrupted-" + asks);
      List<Double> losses = new ArrayList<>();
      interrupted = !train(store, devices, afterAsks(asks), losses);
      assertTrue(!interrupted || train(store, devices, NEVER, losses));
      assertEquals(expected, losses, "after " + asks + " questions");
      assertEquals(weights(whole), weights(store), "after " + asks + " questions");
    }
    assertTrue(asks > EPOCHS * BATCHES / devices, "asked before every round: " + asks);
  }

  /** The test would else say nothing: what is kept does decide what follows. */
  @Test
  void whatTheSourceKeepsDecidesWhatFollows() throws IOException {
    CheckpointStore whole = store("whole");
    train(whole, 1, NEVER, new ArrayList<>());
    CheckpointStore forgetful = store("forgetful");
    train(forgetful, 1, afterAsks(9), new ArrayList<>());
    Path latest = forgetful.latest().orElseThrow();
    TrainingState state = CheckpointStore.verify(latest);
    forgetful.save(state, file -> Files.copy(latest.resolve("checkpoint"), file));
    assertArrayEquals(new byte[0], CheckpointStore.batches(forgetful.latest().orElseThrow()));
    assertTrue(train(forgetful, 1, NEVER, new ArrayList<>()));
    assertNotEquals(weights(whole), weights(forgetful));
  }

  @Test
  void damageToWhatItKeepsIsNoticed() throws IOException {
    CheckpointStore store = store("run");
    train(store, 1, NEVER, new ArrayList<>());
    Path checkpoint = store.latest().orElseThrow();
    byte[] kept = CheckpointStore.batches(checkpoint);
    assertEquals(SAMPLES.size() * Integer.BYTES, kept.length);
    kept[7] ^= 1;
    Files.write(checkpoint.resolve("batches"), kept);
    assertThrows(IOException.class, () -> CheckpointStore.verify(checkpoint));
    Files.delete(checkpoint.resolve("batches"));
    assertThrows(IOException.class, () -> CheckpointStore.verify(checkpoint));
  }

  /** With a checkpoint every second update, of which an epoch has three. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 8})
  void killedWhileItMakesABatchARunEndsTheSame(int batches) throws Exception {
    CheckpointStore whole = store("whole");
    train(whole, 1, NEVER, new ArrayList<>());
    JavaProcess.Result result =
        JavaProcess.of(
                Killed.class,
                files.checkpoint(),
                files.artifacts(),
                folder.resolve("killed"),
                batches)
            .with("--enable-native-access=ALL-UNNAMED")
            .run();
    assertEquals(137, result.status(), result.output());
    CheckpointStore store = store("killed");
    assertEquals(batches > 4, store.latest().isPresent());
    assertTrue(train(store, 1, NEVER, new ArrayList<>()));
    assertEquals(weights(whole), weights(store));
  }

  /** Trains until the process is killed while the source makes a batch. */
  static final class Killed {
    public static void main(String[] args) throws IOException {
      ModelInTraining.Files files =
          new ModelInTraining.Files(Path.of(args[0]), Path.of(args[1]), List.of());
      train(
          files,
          new CheckpointStore(Path.of(args[2]), 100),
          1,
          new AtomicInteger(Integer.parseInt(args[3])),
          NEVER,
          new ArrayList<>());
    }
  }
}

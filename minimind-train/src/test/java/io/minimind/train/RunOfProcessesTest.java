package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.distributed.ProcessGroup;
import io.minimind.distributed.Ranks;
import io.minimind.distributed.Wire;
import io.minimind.infer.GenerationOptions;
import io.minimind.model.Precision;
import io.minimind.runtime.Device;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import program.ListRows;
import program.TrainOnRows;

/** Runs whose processes are threads here, against a run of one process with as many devices. */
@Timeout(300)
class RunOfProcessesTest {

  private static final BooleanSupplier NEVER = () -> false;

  @TempDir static Path shared;
  @TempDir Path folder;

  private static List<String> texts;

  @BeforeAll
  static void writeTokenizer() throws Exception {
    texts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      texts.add("once there was a %s in %s".formatted(i % 2 == 0 ? "river" : "harbour", i));
    }
    ByteLevelBpeTrainer.ofSize(300).train(texts.iterator()).save(shared);
  }

  private RunBuilder run(String name, List<String> rows, int devices, ProcessGroup group) {
    return TrainOnRows.run(new ListRows(rows), shared, folder.resolve(name))
        .cache(folder.resolve("cache " + group.rank()))
        .devices(Collections.nCopies(devices, Device.CPU))
        .threads(devices)
        .group(group);
  }

  private RunBuilder run(String name, int devices, ProcessGroup group) {
    return run(name, texts, devices, group);
  }

  private void trainInOneProcess(String name, int devices) throws IOException {
    try (TrainingRun run = run(name, devices, ProcessGroup.alone()).open()) {
      assertTrue(run.train());
    }
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(folder.resolve(name).resolve("model.safetensors"));
  }

  /** All but what depends on time. */
  private List<String> metrics(String name) throws IOException {
    return Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl")).stream()
        .map(line -> line.replaceAll(",\"(tokens_per_|positions_per_|)seconds?\":[^,}]*", ""))
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1", "2, 2"})
  void itEndsInTheBytesOfOneProcess(int processes, int each) throws Exception {
    trainInOneProcess("one", processes * each);
    AtomicInteger told = new AtomicInteger();
    Ranks.run(
        processes,
        group -> {
          TrainingListener listener =
              new TrainingListener() {
                @Override
                public void updated(Update update) {
                  told.incrementAndGet();
                  assertTrue(group.isFirst());
                }
              };
          try (TrainingRun run = run("several", each, group).listener(listener).open()) {
            assertTrue(run.train());
            // The weights are everywhere, and each process can write with them.
            assertFalse(run.model().generate("once", GenerationOptions.greedy()).text().isEmpty());
            run.export(folder.resolve("exported"), Precision.FLOAT32);
          }
          return true;
        });
    assertArrayEquals(model("one"), model("several"));
    assertArrayEquals(model("one"), model("exported"));
    assertEquals(metrics("one"), metrics("several"));
    assertTrue(told.get() > 10);
  }

  /** Wherever it is interrupted, and whichever process is. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void anInterruptionOfAnyStopsAllAndItGoesOn(int interrupted) throws Exception {
    trainInOneProcess("one", 2);
    List<Boolean> complete = List.of(false);
    int sessions = 0;
    for (int questions = 3; complete.contains(false); questions += 7) {
      AtomicInteger left = new AtomicInteger(questions);
      complete =
          Ranks.run(
              2,
              group -> {
                try (TrainingRun run = run("several", 1, group).open()) {
                  return run.train(
                      group.rank() == interrupted ? () -> left.getAndDecrement() <= 0 : NEVER);
                }
              });
      assertEquals(1, complete.stream().distinct().count());
      sessions++;
    }
    assertTrue(sessions > 3, "sessions: " + sessions);
    assertArrayEquals(model("one"), model("several"));
  }

  /** A checkpoint holds no errors of rounding, so these begin anew with each, saved or resumed. */
  @Test
  void roundedOnTheWayItGoesOnToTheByteAsWell() throws Exception {
    Ranks.run(
        2,
        Wire.BFLOAT16,
        group -> {
          try (TrainingRun run = run("whole", 1, group).open()) {
            return run.train();
          }
        });
    List<Boolean> complete = List.of(false);
    for (int sessions = 0; complete.contains(false); sessions++) {
      assertTrue(sessions < 20);
      complete =
          Ranks.run(
              2,
              Wire.BFLOAT16,
              group -> {
                // It dies between two checkpoints, which are two updates apart.
                int[] updates = {0};
                TrainingListener dies =
                    new TrainingListener() {
                      @Override
                      public void updated(Update update) throws IOException {
                        if (++updates[0] == 31) {
                          throw new IOException("It dies.");
                        }
                      }
                    };
                try (TrainingRun run = run("several", 1, group).listener(dies).open()) {
                  return run.train();
                } catch (IOException e) {
                  assertTrue(e.getMessage().endsWith("It dies."), e.getMessage());
                  return false;
                }
              });
    }
    assertArrayEquals(model("whole"), model("several"));
    trainInOneProcess("one", 2);
    assertFalse(Arrays.equals(model("one"), model("several")));
  }

  /** A run of two processes goes on in one, and then in three. */
  @Test
  void itGoesOnInAnotherNumberOfProcesses() throws Exception {
    trainInOneProcess("one", 2);
    int[] processes = {2, 1, 3};
    for (int size : processes) {
      Ranks.run(
          size,
          group -> {
            AtomicInteger left = new AtomicInteger(size == 3 ? Integer.MAX_VALUE : 20);
            try (TrainingRun run = run("several", 1, group).open()) {
              return run.train(() -> left.getAndDecrement() <= 0);
            }
          });
    }
    List<String> expected = metrics("one");
    List<String> found = metrics("several");
    assertEquals(expected.size(), found.size());
    assertEquals(expected.get(0), found.get(0));
  }

  private List<String> failures(int size, Ranks.Rank<Object> rank) throws Exception {
    List<String> sentences = new ArrayList<>();
    for (FutureTask<Object> running : Ranks.started(size, rank)) {
      sentences.add(Ranks.failure(running));
    }
    return sentences;
  }

  @Test
  void oneWithOtherDataStopsAll() throws Exception {
    List<String> others = new ArrayList<>(texts);
    others.set(7, "another text");
    for (String sentence :
        failures(
            2,
            group -> {
              try (TrainingRun run =
                  run("several", group.isLast() ? others : texts, 1, group).open()) {
                return run.train();
              }
            })) {
      assertTrue(sentence.contains("does not hold the rows that the run began with"), sentence);
    }
  }

  @Test
  void oneWithOtherSettingsStopsAll() throws Exception {
    List<String> sentences =
        failures(
            3,
            group -> {
              RunBuilder builder = run("several", 1, group);
              if (group.rank() == 1) {
                builder.settings(s -> s.learningRate(7));
              }
              try (TrainingRun run = builder.open()) {
                return run.train();
              }
            });
    assertTrue(sentences.get(1).startsWith("The run in "), sentences.get(1));
    for (String sentence : List.of(sentences.get(0), sentences.get(2))) {
      assertTrue(sentence.startsWith("Rank 1 ("), sentence);
      assertTrue(sentence.contains("began with other settings: "), sentence);
    }
  }

  /** What a listener throws stands for a full disk and the like. */
  @ParameterizedTest
  @ValueSource(strings = {"started", "updated", "saved", "finished"})
  void aFailureOfTheFirstAnywhereStopsAll(String where) throws Exception {
    List<String> sentences =
        failures(
            2,
            group -> {
              try (TrainingRun run = run(where, 1, group).listener(failing(where)).open()) {
                return run.train();
              }
            });
    assertEquals("The disk is full.", sentences.get(0));
    assertTrue(sentences.get(1).endsWith(" stopped all: The disk is full."), sentences.get(1));
  }

  private static TrainingListener failing(String where) {
    return new TrainingListener() {
      private void at(String here) throws IOException {
        if (here.equals(where)) {
          throw new IOException("The disk is full.");
        }
      }

      @Override
      public void started(TrainingSettings settings, long batches, TrainingState from)
          throws IOException {
        at("started");
      }

      @Override
      public void updated(Update update) throws IOException {
        at("updated");
      }

      @Override
      public void saved(TrainingState state, Path checkpoint) throws IOException {
        at("saved");
      }

      @Override
      public void finished(TrainingState state, boolean complete) throws IOException {
        at("finished");
      }
    };
  }
}

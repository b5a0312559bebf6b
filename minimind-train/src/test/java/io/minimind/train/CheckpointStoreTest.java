package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.Folders;
import io.minimind.train.TrainingState.LossScale;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {

  @TempDir Path parent;

  private Path folder() {
    return parent.resolve("checkpoints");
  }

  private static TrainingState state(long update, OptionalDouble loss) {
    return new TrainingState(
        (int) update / 7,
        update % 7,
        update,
        100 * update,
        0.1 * update,
        loss,
        loss,
        Optional.empty());
  }

  private static TrainingState state(long update) {
    return state(update, OptionalDouble.empty());
  }

  private static byte[] contents(long update) {
    byte[] bytes = new byte[500];
    new Random(update).nextBytes(bytes);
    return bytes;
  }

  private static Path save(CheckpointStore store, TrainingState state) throws IOException {
    return store.save(state, file -> Files.write(file, contents(state.update())));
  }

  private static void assertSound(Path checkpoint, TrainingState expected) throws IOException {
    assertEquals(expected, CheckpointStore.verify(checkpoint));
    assertArrayEquals(
        contents(expected.update()), Files.readAllBytes(checkpoint.resolve("checkpoint")));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aDamagedOlderCheckpointDoesNotFailASave() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    Path best = save(store, state(1, OptionalDouble.of(0.5)));
    Path older = save(store, state(2, OptionalDouble.of(0.7)));
    Files.writeString(best.resolve("state.json"), "{");
    Path newest = save(store, state(3, OptionalDouble.of(0.6)));
    assertSound(newest, state(3, OptionalDouble.of(0.6)));
    assertEquals(List.of(newest, older, best), store.checkpoints());
    assertThrows(IOException.class, store::best);
  }

  /** Who goes on with a run may live elsewhere. */
  @Test
  void namesAreTheSameInAllLocales() throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("fa-IR"));
    try {
      assertEquals(
          "update-00000012",
          save(new CheckpointStore(folder(), 1), state(12)).getFileName().toString());
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aFolderThatIsNotThereHoldsNothing() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    assertEquals(List.of(), store.checkpoints());
    assertEquals(Optional.empty(), store.latest());
    assertEquals(Optional.empty(), store.best());
  }

  @Test
  void keepsStateAndContents() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 3);
    List<TrainingState> states =
        List.of(
            TrainingState.START,
            new TrainingState(
                2,
                17,
                12345678,
                9_876_543_210L,
                1.0 / 3,
                OptionalDouble.of(0.1),
                OptionalDouble.of(0.1),
                Optional.empty()),
            new TrainingState(
                3,
                0,
                99999999,
                1,
                Double.MIN_VALUE,
                OptionalDouble.empty(),
                OptionalDouble.of(Math.PI),
                Optional.of(new LossScale(1024, 1999))));
    for (TrainingState state : states) {
      Path saved = save(store, state);
      assertEquals(Optional.of(saved), store.latest());
      assertSound(saved, state);
    }
  }

  /** A value is a validation loss, a negative one stands for none. */
  @Property(tries = 30)
  void keepsTheLastAndTheBest(
      @ForAll @Size(min = 1, max = 12) List<@IntRange(min = -3, max = 9) Integer> losses,
      @ForAll @IntRange(min = 1, max = 4) int keep)
      throws IOException {
    Path temporary = Files.createTempDirectory("checkpoints");
    try {
      CheckpointStore store = new CheckpointStore(temporary, keep);
      long best = -1;
      int lowest = Integer.MAX_VALUE;
      for (int update = 0; update < losses.size(); update++) {
        int loss = losses.get(update);
        save(store, state(update, loss < 0 ? OptionalDouble.empty() : OptionalDouble.of(loss)));
        if (loss >= 0 && loss <= lowest) {
          lowest = loss;
          best = update;
        }
        TreeSet<Long> expected = new TreeSet<>(Comparator.reverseOrder());
        for (long kept = Math.max(0, update - keep + 1); kept <= update; kept++) {
          expected.add(kept);
        }
        if (best >= 0) {
          expected.add(best);
        }
        assertEquals(
            expected.stream()
                .map(number -> temporary.resolve("update-%08d".formatted(number)))
                .toList(),
            store.checkpoints());
        assertEquals(
            best < 0
                ? Optional.empty()
                : Optional.of(temporary.resolve("update-%08d".formatted(best))),
            store.best());
        assertEquals(expected.size(), names(temporary).size(), "nothing else lies there");
      }
    } finally {
      Folders.delete(temporary);
    }
  }

  @Test
  void aFailingWriterLeavesEarlierCheckpointsIntact() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    Path first = save(store, state(1));
    List<CheckpointStore.CheckpointWriter> failing =
        List.of(
            file -> {
              Files.write(file, new byte[10]);
              throw new IOException("the disk is full.");
            },
            file -> {
              throw new IllegalStateException("The weights of replica 1 differ.");
            },
            file -> {});
    for (CheckpointStore.CheckpointWriter writer : failing) {
      IOException e = assertThrows(IOException.class, () -> store.save(state(2), writer));
      assertTrue(e.getMessage().startsWith("No checkpoint was written to " + folder()));
      assertTrue(e.getMessage().endsWith(". Earlier ones are intact."), e.getMessage());
      assertEquals(List.of("update-00000001"), names(folder()));
      assertSound(first, state(1));
    }
    IOException e = assertThrows(IOException.class, () -> store.save(state(2), failing.get(0)));
    assertTrue(e.getMessage().contains(": the disk is full. Earlier"), e.getMessage());
    e = assertThrows(IOException.class, () -> store.save(state(2), failing.get(1)));
    assertTrue(e.getMessage().contains(": The weights of replica 1 differ. "), e.getMessage());
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws IOException {
    Files.writeString(folder(), "a file");
    CheckpointStore store = new CheckpointStore(folder(), 1);
    IOException e = assertThrows(IOException.class, () -> save(store, state(1)));
    assertTrue(e.getMessage().contains(folder().toString()), e.getMessage());
    assertEquals("a file", Files.readString(folder()));
  }

  /** A process may die after it put the old one aside, and after it put the new one there. */
  @Test
  void aCheckpointThatIsReplacedIsNeverMissing() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    Path saved = save(store, state(1));
    Path aside = folder().resolve("replaced-" + saved.getFileName());
    Files.move(saved, aside);
    assertEquals(Optional.of(saved), store.latest());
    assertSound(saved, state(1));
    Files.createDirectory(aside);
    assertEquals(List.of(saved), store.checkpoints());
    assertSound(saved, state(1));
    assertFalse(Files.exists(aside));
    assertEquals(saved, save(store, state(1, OptionalDouble.of(2))));
    assertEquals(List.of(saved.getFileName().toString()), names(folder()));
    assertSound(saved, state(1, OptionalDouble.of(2)));
  }

  /** An Error goes through the store as if the process had died there. */
  @Test
  void leftoversOfAKilledSaveAreNeverReadAndRemovedByTheNext() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 2);
    Path first = save(store, state(1));
    assertThrows(
        Error.class,
        () ->
            store.save(
                state(2),
                file -> {
                  Files.write(file, new byte[10]);
                  throw new Error("killed");
                }));
    assertEquals(2, names(folder()).size(), "the test must leave something over");
    assertEquals(List.of(first), store.checkpoints());
    assertEquals(Optional.of(first), store.latest());
    Path second = save(store, state(2));
    assertEquals(List.of(second, first), store.checkpoints());
    assertEquals(2, names(folder()).size());
    assertSound(first, state(1));
    assertSound(second, state(2));
  }

  @Test
  void aHalfDeletedCheckpointIsNeverReadAndRemovedByTheNext() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    Path first = save(store, state(1));
    Path doomed = folder().resolve("unfinished-deleted-update-00000001");
    Files.createDirectory(doomed);
    Files.write(doomed.resolve("checkpoint"), contents(1));
    assertEquals(List.of(first), store.checkpoints());
    // Deletes the first one too, which would take the same name on its way out.
    Path second = save(store, state(2));
    assertEquals(List.of("update-00000002"), names(folder()));
    assertSound(second, state(2));
  }

  @Test
  void aSaveOfTheSameUpdateReplacesIt() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    store.save(state(0), file -> Files.write(file, new byte[3]));
    assertSound(save(store, state(0)), state(0));
    assertEquals(List.of("update-00000000"), names(folder()));
  }

  @Test
  void everyFlippedBitIsNoticed() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    TrainingState state = state(12, OptionalDouble.of(2.5));
    Path checkpoint = save(store, state);
    for (String name : List.of("checkpoint", "state.json", "crc32c")) {
      Path file = checkpoint.resolve(name);
      byte[] sound = Files.readAllBytes(file);
      for (int bit = 0; bit < 8 * sound.length; bit += 7) {
        byte[] flipped = sound.clone();
        flipped[bit / 8] ^= (byte) (1 << bit % 8);
        Files.write(file, flipped);
        assertDamaged(
            checkpoint, assertThrows(IOException.class, () -> CheckpointStore.verify(checkpoint)));
      }
      Files.write(file, sound);
    }
    assertSound(checkpoint, state);
  }

  @Test
  void missingAndTruncatedFilesAreNoticed() throws IOException {
    CheckpointStore store = new CheckpointStore(folder(), 1);
    for (String name : List.of("checkpoint", "state.json", "crc32c")) {
      Path checkpoint = save(store, state(3));
      Path file = checkpoint.resolve(name);
      byte[] sound = Files.readAllBytes(file);
      List<byte[]> broken = new ArrayList<>();
      broken.add(new byte[0]);
      broken.add(Arrays.copyOf(sound, sound.length - 3));
      if (name.equals("checkpoint")) {
        broken.add(Arrays.copyOf(sound, sound.length + 3));
      } else {
        broken.add("{}".getBytes(StandardCharsets.UTF_8));
        broken.add("null".getBytes(StandardCharsets.UTF_8));
      }
      for (byte[] bytes : broken) {
        Files.write(file, bytes);
        assertDamaged(
            checkpoint, assertThrows(IOException.class, () -> CheckpointStore.verify(checkpoint)));
      }
      Files.delete(file);
      assertDamaged(
          checkpoint, assertThrows(IOException.class, () -> CheckpointStore.verify(checkpoint)));
    }
  }

  private static void assertDamaged(Path checkpoint, IOException e) {
    assertTrue(
        e.getMessage().startsWith("The checkpoint " + checkpoint + " is damaged: "),
        e.getMessage());
    assertTrue(
        e.getMessage().endsWith("Delete this folder to go on from the one before it."),
        e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}

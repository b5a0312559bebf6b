package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewFolderTest {

  @TempDir Path parent;

  /** Begins a folder, says so, and waits to be killed. */
  public static void main(String[] args) throws Exception {
    NewFolder folder = NewFolder.at(Path.of(args[0]));
    Files.writeString(folder.path().resolve("part"), "half");
    System.out.println("begun");
    Thread.sleep(TimeUnit.MINUTES.toMillis(5));
    folder.close();
  }

  private List<String> names() throws IOException {
    try (Stream<Path> entries = Files.list(parent)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aFolderIsThereWholeOrNotAtAll() throws IOException {
    Path target = parent.resolve("model");
    try (NewFolder folder = NewFolder.at(target)) {
      Files.writeString(folder.path().resolve("a"), "1");
      assertTrue(Files.notExists(target));
    }
    assertEquals(List.of(), names());
    try (NewFolder folder = NewFolder.at(target)) {
      Files.writeString(folder.path().resolve("a"), "1");
      folder.finish();
    }
    assertEquals(List.of("model"), names());
    try (Stream<Path> files = Files.list(target)) {
      assertEquals(List.of(target.resolve("a")), files.toList());
    }
  }

  @Test
  void anEmptyFolderMayBeThereAndNothingElse() throws IOException {
    Path empty = Files.createDirectory(parent.resolve("empty"));
    try (NewFolder folder = NewFolder.at(empty)) {
      Files.writeString(folder.path().resolve("a"), "1");
      folder.finish();
    }
    assertEquals("1", Files.readString(empty.resolve("a")));
    assertEquals(
        empty + " is not empty, and nothing is overwritten: name another, or delete it.",
        assertThrows(InputException.class, () -> NewFolder.at(empty)).getMessage());
    Path file = Files.writeString(parent.resolve("file"), "precious");
    assertEquals(
        file + " is a file: name a folder that is not there yet.",
        assertThrows(InputException.class, () -> NewFolder.at(file)).getMessage());
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void ofTwoThatWriteTheSameTheFirstThatFinishesHasIt() throws IOException {
    Path target = parent.resolve("model");
    try (NewFolder first = NewFolder.at(target);
        NewFolder second = NewFolder.at(target)) {
      Files.writeString(first.path().resolve("a"), "first");
      Files.writeString(second.path().resolve("a"), "second");
      second.finish();
      assertThrows(InputException.class, first::finish);
    }
    assertEquals("second", Files.readString(target.resolve("a")));
    assertEquals(List.of("model"), names());
  }

  @Test
  void whatAKilledProcessLeftGoesAndWhatALivingOneWritesStays() throws Exception {
    Path target = parent.resolve("model");
    // Nothing of ours, although its name is like one.
    Files.createDirectories(parent.resolve("unfinished-model/precious"));
    Files.createDirectories(parent.resolve(".model.unfinished-mine/precious"));
    Process process =
        JavaProcess.of(NewFolderTest.class, target)
            .with("-XX:TieredStopAtLevel=1")
            .builder()
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader output = process.inputReader()) {
      assertEquals("begun", output.readLine());
      NewFolder.at(target).close();
      assertEquals(3, names().size(), names()::toString);
    } finally {
      process.destroyForcibly();
    }
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(3, names().size(), names()::toString);
    NewFolder.at(target).close();
    assertEquals(List.of(".model.unfinished-mine", "unfinished-model"), names());
  }
}

package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {

  @TempDir Path parent;

  /** Tries for a lock in a process of its own: 0 if it was free. */
  public static void main(String[] args) throws IOException {
    try (FolderLock lock = FolderLock.acquire(Path.of(args[0]))) {
      System.out.println("locked " + lock);
    } catch (IOException e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }

  private static int statusOfAnotherProcess(Path folder) throws Exception {
    return JavaProcess.of(FolderLockTest.class, folder)
        .with("-XX:TieredStopAtLevel=1")
        .run()
        .status();
  }

  private static void assertRefused(Path folder) {
    IOException e = assertThrows(IOException.class, () -> FolderLock.acquire(folder));
    assertEquals(
        "Another run is writing to %s: wait until it has ended, or choose another folder."
            .formatted(folder),
        e.getMessage());
  }

  @Test
  void aFolderIsLockedForOneAtATime() throws Exception {
    Path folder = parent.resolve("deep/run");
    FolderLock lock = FolderLock.acquire(folder);
    assertRefused(folder);
    Path sameFolder = parent.resolve("deep/../deep/run");
    assertRefused(sameFolder);
    // What was refused here must not have given the lock up for others.
    assertEquals(1, statusOfAnotherProcess(folder));
    FolderLock.acquire(parent).close();
    lock.close();
    assertEquals(0, statusOfAnotherProcess(sameFolder));
    FolderLock.acquire(folder).close();
  }

  @Test
  void whatIsNoFolderCannotBeLocked() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "precious");
    assertThrows(IOException.class, () -> FolderLock.acquire(file));
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void aFolderThatCannotBeMadeIsSaid() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "");
    String message = assertThrows(IOException.class, () -> FolderLock.acquire(file)).getMessage();
    assertEquals("The folder %s cannot be made: %s is a file.".formatted(file, file), message);
  }
}

package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** However the writing ends, there is the old file or the new one, and nothing beside it. */
class AtomicFileTest {

  @TempDir private Path folder;

  private Path file;

  @BeforeEach
  void writeTheOldFile() throws IOException {
    file = folder.resolve("file");
    Files.writeString(file, "old");
  }

  private void assertUntouched() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
    assertEquals("old", Files.readString(file));
  }

  @Test
  void whatFailsInTheMiddleLeavesNothing() throws IOException {
    Error failure = new OutOfMemoryError("none left");
    assertSame(
        failure,
        assertThrows(
            OutOfMemoryError.class,
            () ->
                AtomicFile.replace(
                    file,
                    channel -> {
                      AtomicFile.write(channel, ByteBuffer.wrap(new byte[10]));
                      throw failure;
                    })));
    assertUntouched();
  }

  @Test
  void anInterruptedThreadSaysSo() throws IOException {
    Thread.currentThread().interrupt();
    IOException e =
        assertThrows(IOException.class, () -> AtomicFile.replace(file, new byte[] {1, 2, 3}));
    assertTrue(Thread.interrupted(), "it is still known that the thread was interrupted");
    assertEquals("Cannot write " + file + ": it was interrupted.", e.getMessage());
    assertUntouched();
  }
}

package io.minimind.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder that goes when it is closed. */
public record TemporaryFolder(Path path) implements AutoCloseable {

  public static TemporaryFolder create() throws IOException {
    return new TemporaryFolder(Files.createTempDirectory("minimind"));
  }

  @Override
  public void close() {
    try {
      Folders.delete(path);
    } catch (IOException e) {
      // Windows keeps files that are still mapped; they are left to its own cleaning.
    }
  }
}

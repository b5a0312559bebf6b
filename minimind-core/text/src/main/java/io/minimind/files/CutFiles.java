package io.minimind.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reading through mappings of files that somebody else may cut meanwhile. Where that happens, Java
 * code that reads gets an {@link InternalError}, which this makes an exception. Code of the JVM or
 * of a library is not so lucky: it ends the process, so a checksum is never taken of a mapping, and
 * a native library never given one; both get a copy.
 */
public final class CutFiles {

  private CutFiles() {}

  /** What is read. */
  @FunctionalInterface
  public interface Reading<T> {
    T read() throws IOException;
  }

  /**
   * Reads from a mapping of a file. The error may come late, after all has been read, so the file
   * is looked at before.
   *
   * @param size that the file had when it was mapped, in bytes
   * @throws InputException if the file has been cut
   */
  public static <T> T reading(Path file, long size, Reading<T> reading) throws IOException {
    if (isCut(file, size)) {
      throw new InputException(file + " was cut while it was being read.");
    }
    try {
      return reading.read();
    } catch (InternalError e) {
      if (!isCut(e)) {
        throw e;
      }
      throw new InputException(file + " was cut while it was being read.", e);
    }
  }

  /**
   * Whether a file has fewer bytes than when it was mapped; one that was deleted has them still.
   */
  public static boolean isCut(Path file, long size) {
    try {
      return Files.size(file) < size;
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether an error is the JVM's word for a mapped file that is no longer there to be read. */
  public static boolean isCut(InternalError error) {
    return String.valueOf(error.getMessage()).contains("unsafe memory access");
  }
}

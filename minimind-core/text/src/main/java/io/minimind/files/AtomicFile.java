package io.minimind.files;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes files so that nobody ever sees half of one. */
public final class AtomicFile {

  /** A heap buffer costs a native copy of what is written at once, so it goes out in pieces. */
  private static final int PIECE = 1 << 20;

  private AtomicFile() {}

  /** Fills a new file from its start. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes a file beside its place and renames it, so that readers see the old file or the new one.
   *
   * @throws IOException with a sentence that names the file; the old file is then untouched
   */
  public static void replace(Path path, Content content) throws IOException {
    Path beside = path.resolveSibling(path.getFileName() + ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(beside, CREATE, TRUNCATE_EXISTING, WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      IOException failure = new IOException("Cannot write " + path + ": " + reason(e) + ".", e);
      delete(beside, failure);
      throw failure;
    } catch (RuntimeException | Error e) {
      delete(beside, e);
      throw e;
    }
  }

  private static void delete(Path beside, Throwable failure) {
    try {
      Files.deleteIfExists(beside);
    } catch (IOException left) {
      failure.addSuppressed(left);
    }
  }

  /** Puts contents in the place of a file, as {@link #replace(Path, Content)} does. */
  public static void replace(Path path, byte[] contents) throws IOException {
    replace(path, channel -> write(channel, ByteBuffer.wrap(contents)));
  }

  /** Writes all that remains of a buffer. */
  public static void write(FileChannel channel, ByteBuffer data) throws IOException {
    int end = data.limit();
    while (data.position() < end) {
      data.limit(Math.min(end, data.position() + PIECE));
      channel.write(data);
    }
  }

  /** Why a file operation failed, without the path that many of the messages consist of. */
  public static String reason(Exception e) {
    if (e instanceof NoSuchFileException) {
      return "there is no such file or folder";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NotDirectoryException) {
      return "it is no folder";
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "it is a folder that is not empty";
    }
    if (e instanceof ClosedByInterruptException || e instanceof FileLockInterruptionException) {
      return "it was interrupted";
    }
    String reason =
        e instanceof FileSystemException failure && failure.getReason() != null
            ? failure.getReason()
            : e.getMessage();
    if (reason == null) {
      return e.getClass().getSimpleName();
    }
    return reason.equals("Is a directory") ? "it is a folder" : reason;
  }
}

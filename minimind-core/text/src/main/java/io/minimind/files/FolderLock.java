package io.minimind.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;

/**
 * Keeps all but one run from writing to a folder. The operating system gives the lock up when the
 * process ends, however it ends; its file stays, for a file that others may be about to lock cannot
 * be deleted safely.
 */
public final class FolderLock implements AutoCloseable {

  /** The file that is locked, empty. */
  public static final String FILE = ".lock";

  /** Locks of this process, which loses one when it closes any channel of the file. */
  private static final Set<Path> HELD = new HashSet<>();

  private final Path file;
  private final FileChannel channel;

  private FolderLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Locks a folder until {@link #close}.
   *
   * @param folder made if it is missing
   * @throws IOException if another run holds the lock, in this process or another, or the folder
   *     cannot be written
   */
  public static FolderLock acquire(Path folder) throws IOException {
    Folders.create(folder);
    Path file = folder.toRealPath().resolve(FILE);
    synchronized (HELD) {
      if (!HELD.contains(file)) {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
          if (channel.tryLock() != null) {
            HELD.add(file);
            return new FolderLock(file, channel);
          }
        } catch (IOException e) {
          channel.close();
          throw new IOException("Cannot lock %s: %s.".formatted(file, e.getMessage()), e);
        }
        channel.close();
      }
    }
    throw new InputException(
        "Another run is writing to %s: wait until it has ended, or choose another folder."
            .formatted(folder));
  }

  @Override
  public void close() throws IOException {
    synchronized (HELD) {
      channel.close();
      HELD.remove(file);
    }
  }
}

package io.minimind.files;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;

/**
 * A folder that appears whole or not at all, however the process ends. Its files are written into a
 * hidden folder beside it, and {@link #finish} gives that its name. Several processes may write a
 * folder of one name at the same time: the first that finishes has it. What a killed process left
 * is deleted by the next that writes a folder of this name.
 *
 * <pre>{@code
 * try (NewFolder folder = NewFolder.at(target)) {
 *   Files.writeString(folder.path().resolve("a"), "…");
 *   folder.finish();
 * }
 * }</pre>
 */
public final class NewFolder implements AutoCloseable {

  private final Path target;
  private final Path work;
  private final FolderLock lock;

  private NewFolder(Path target, Path work, FolderLock lock) {
    this.target = target;
    this.work = work;
    this.lock = lock;
  }

  /**
   * Begins a folder.
   *
   * @param target must not exist, or be empty; the folders above it are made
   * @throws IOException if there is something already, or nothing can be written beside it
   */
  public static NewFolder at(Path target) throws IOException {
    Path place = target.toAbsolutePath().normalize();
    requireNothing(place);
    Folders.create(place.getParent());
    String prefix = "." + place.getFileName() + ".unfinished-";
    deleteAbandoned(place.getParent(), prefix);
    Path work = Folders.createIn(place.getParent(), prefix);
    FolderLock lock = FolderLock.acquire(work);
    Files.createDirectory(work.resolve(place.getFileName()));
    return new NewFolder(place, work, lock);
  }

  /** Where its files are to be written. */
  public Path path() {
    return work.resolve(target.getFileName());
  }

  /**
   * Gives the folder its name.
   *
   * @throws IOException if somebody else has written one meanwhile
   */
  public void finish() throws IOException {
    requireNothing(target);
    Files.deleteIfExists(target);
    Files.move(path(), target, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Deletes what was written, unless it is finished. */
  @Override
  public void close() throws IOException {
    lock.close();
    Folders.delete(work);
  }

  private static void requireNothing(Path target) throws IOException {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(target)) {
      throw new InputException(target + " is a file: name a folder that is not there yet.");
    }
    try (Stream<Path> entries = Files.list(target)) {
      if (entries.findAny().isPresent()) {
        throw new InputException(
            target + " is not empty, and nothing is overwritten: name another, or delete it.");
      }
    }
  }

  /** What a living process writes is locked. */
  private static void deleteAbandoned(Path parent, String prefix) throws IOException {
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(
            parent, entry -> entry.getFileName().toString().startsWith(prefix))) {
      for (Path entry : entries) {
        if (!Files.exists(entry.resolve(FolderLock.FILE))) {
          continue;
        }
        FolderLock lock;
        try {
          lock = FolderLock.acquire(entry);
        } catch (InputException e) {
          continue;
        }
        try {
          Folders.delete(entry);
        } finally {
          lock.close();
        }
      }
    }
  }
}

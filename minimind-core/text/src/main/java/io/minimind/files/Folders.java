package io.minimind.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/** Folders with all that is in them. */
public final class Folders {

  private Folders() {}

  /**
   * Makes a folder and those above it, as far as they are missing.
   *
   * @throws IOException if one cannot be made; the message is a sentence that says why
   */
  public static void create(Path folder) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (FileSystemException e) {
      throw new IOException("The folder %s cannot be made: %s.".formatted(folder, reason(e)), e);
    }
  }

  /**
   * Makes a folder with a new name in another one, which is made if it is missing.
   *
   * @throws IOException if it cannot be made; the message is a sentence that says why
   */
  public static Path createIn(Path folder, String prefix) throws IOException {
    create(folder);
    try {
      return Files.createTempDirectory(folder, prefix);
    } catch (FileSystemException e) {
      throw new IOException("Nothing can be made in %s: %s.".formatted(folder, reason(e)), e);
    }
  }

  private static String reason(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return "where it is to be there can be none"; // Such as among those of the system.
    }
    return e instanceof FileAlreadyExistsException
        ? e.getFile() + " is a file"
        : AtomicFile.reason(e);
  }

  /**
   * Deletes a folder and everything below it, or a file; nothing if there is none. A link is
   * deleted, and not what it leads to.
   *
   * @throws IOException if something cannot be deleted; what came before it is gone then
   */
  public static void delete(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path emptied, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(emptied);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

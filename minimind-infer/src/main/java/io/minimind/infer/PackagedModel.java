package io.minimind.infer;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.files.Checksums;
import io.minimind.files.Folders;
import io.minimind.files.Sha256;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A model folder inside a jar, at {@code minimind/models/NAME/}. Its index {@code SHA256SUMS} names
 * the files and their checksums, as the program {@code sha256sum} writes them.
 *
 * <p>The runtime reads files, so the folder is unpacked once, under a name that contains the
 * checksum of the index: another version of the model is another folder. It appears under that name
 * only when it is complete and every checksum was right. Later uses look at the sizes of its files,
 * which is quick, and unpack again what is missing or has another size.
 */
final class PackagedModel {
  private static final String INDEX = Checksums.INDEX;

  /** No model's name begins like this. */
  private static final String UNFINISHED = ".unfinished-";

  /** What is older belongs to a process that was killed. */
  private static final Duration LONGEST_UNPACKING = Duration.ofDays(1);

  private final ClassLoader loader;
  private final String name;

  private PackagedModel(ClassLoader loader, String name) {
    this.loader = loader;
    this.name = name;
  }

  /** Unpacks a model of this application into its folder for such. */
  static Path unpack(String name) throws IOException {
    ClassLoader ofThread = Thread.currentThread().getContextClassLoader();
    ClassLoader loader = ofThread == null ? PackagedModel.class.getClassLoader() : ofThread;
    String cache = System.getProperty("minimind.cache");
    Path folder =
        cache == null
            ? Path.of(System.getProperty("user.home"), ".cache", "minimind")
            : Path.of(cache);
    return unpack(loader, name, folder);
  }

  /**
   * @param cache where model folders are unpacked
   * @return the folder
   * @throws IOException if there is no such model, it is damaged, or it cannot be unpacked
   */
  static Path unpack(ClassLoader loader, String name, Path cache) throws IOException {
    if (!Checksums.NAME.matcher(name).matches()) {
      throw new ArgumentException(
          "The model name "
              + name
              + " must consist of letters, digits, dots, dashes and underscores.");
    }
    return new PackagedModel(loader, name).unpack(cache);
  }

  private Path unpack(Path cache) throws IOException {
    byte[] index;
    try (InputStream in = read(INDEX)) {
      index = in.readAllBytes();
    }
    String version = Sha256.of(index).substring(0, 16);
    Path folder = cache.resolve(name + "-" + version);
    Map<String, String> checksums =
        Checksums.parse(index, "The index of the packaged model " + name);
    checksums.put(INDEX, Sha256.of(index));
    for (String file : List.copyOf(checksums.keySet())) {
      if (Files.isDirectory(folder) && isWhole(folder.resolve(file))) {
        checksums.remove(file);
      }
    }
    if (!checksums.isEmpty()) {
      try {
        unpack(checksums, cache, folder);
      } catch (FileSystemException e) {
        throw new IOException(
            "The packaged model %s cannot be unpacked into %s: %s; make room there, or name another folder in the system property minimind.cache."
                .formatted(name, cache, AtomicFile.reason(e)),
            e);
      }
    }
    return folder;
  }

  private boolean isWhole(Path file) throws IOException {
    long size = size(file.getFileName().toString());
    return Files.isRegularFile(file) && (size < 0 || Files.size(file) == size);
  }

  private void unpack(Map<String, String> checksums, Path cache, Path folder) throws IOException {
    if (Files.exists(cache) && !Files.isDirectory(cache)) {
      throw new FileSystemException(cache.toString(), null, "that is a file");
    }
    Files.createDirectories(cache);
    deleteLeftovers(cache);
    Path unfinished = Files.createTempDirectory(cache, UNFINISHED);
    try {
      for (Map.Entry<String, String> file : checksums.entrySet()) {
        unpack(file.getKey(), file.getValue(), unfinished);
      }
      if (!Files.isDirectory(folder)) {
        try {
          Files.move(unfinished, folder, ATOMIC_MOVE);
          return;
        } catch (FileSystemException e) {
          // Another process may have been faster.
          if (!Files.isDirectory(folder)) {
            throw e;
          }
        }
      }
      for (String file : checksums.keySet()) {
        Files.move(unfinished.resolve(file), folder.resolve(file), ATOMIC_MOVE);
      }
    } finally {
      Folders.delete(unfinished);
    }
  }

  private static void deleteLeftovers(Path cache) throws IOException {
    Instant longAgo = Instant.now().minus(LONGEST_UNPACKING);
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, UNFINISHED + "*")) {
      for (Path folder : folders) {
        if (Files.getLastModifiedTime(folder).toInstant().isBefore(longAgo)) {
          Folders.delete(folder);
        }
      }
    }
  }

  private void unpack(String file, String checksum, Path folder) throws IOException {
    MessageDigest digest = Sha256.start();
    Path target = folder.resolve(file);
    try (InputStream in = new DigestInputStream(read(file), digest);
        FileChannel out = FileChannel.open(target, CREATE_NEW, WRITE)) {
      try {
        in.transferTo(Channels.newOutputStream(out));
        out.force(true);
      } catch (IOException e) {
        // A disk that is full says so without the name of a file.
        throw (IOException)
            new FileSystemException(target.toString(), null, AtomicFile.reason(e)).initCause(e);
      }
    }
    if (!Sha256.of(digest).equals(checksum)) {
      throw new IOException(
          "The file %s of the packaged model %s is damaged: its checksum differs from that in %s."
              .formatted(file, name, INDEX));
    }
  }

  private InputStream read(String file) throws IOException {
    return connect(file).getInputStream();
  }

  /** The size of a packaged file, or -1 if the class loader does not tell. */
  private long size(String file) throws IOException {
    URLConnection connection = connect(file);
    long size = connection.getContentLengthLong();
    connection.getInputStream().close();
    return size;
  }

  private URLConnection connect(String file) throws IOException {
    String path = "minimind/models/" + name + "/" + file;
    URL url = loader.getResource(path);
    if (url == null) {
      throw new FileNotFoundException(
          "There is no model %s on the class path: %s is missing; add the dependency that contains it."
              .formatted(name, path));
    }
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false); // which would keep the jar open
    return connection;
  }
}

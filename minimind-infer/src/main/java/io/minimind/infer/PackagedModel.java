package io.minimind.infer;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A model folder inside a jar, at {@code minimind/models/NAME/}. Its index {@code SHA256SUMS} names
 * the files and their checksums, as the program {@code sha256sum} writes them.
 *
 * <p>The runtime reads files, so the folder is unpacked once, under a name that contains the
 * checksum of the index: another version of the model is another folder. It appears under that name
 * only when it is complete and every checksum was right.
 */
final class PackagedModel {
  private static final String INDEX = "SHA256SUMS";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");
  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64}) [ *](" + NAME + ")");

  private final ClassLoader loader;
  private final String name;

  private PackagedModel(ClassLoader loader, String name) {
    this.loader = loader;
    this.name = name;
  }

  /**
   * @param cache where model folders are unpacked
   * @return the folder
   * @throws IOException if there is no such model, it is damaged, or it cannot be unpacked
   */
  static Path unpack(ClassLoader loader, String name, Path cache) throws IOException {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "The model name "
              + name
              + " must consist of letters, digits, dots, dashes and underscores.");
    }
    return new PackagedModel(loader, name).unpack(cache);
  }

  private Path unpack(Path cache) throws IOException {
    byte[] index = read(INDEX).readAllBytes();
    String version = HexFormat.of().formatHex(sha256().digest(index)).substring(0, 16);
    Path folder = cache.resolve(name + "-" + version);
    if (Files.isDirectory(folder)) {
      return folder;
    }
    Map<String, String> checksums = checksums(new String(index, StandardCharsets.UTF_8));
    Files.createDirectories(cache);
    Path unfinished = Files.createTempDirectory(cache, name + "-");
    try {
      for (Map.Entry<String, String> file : checksums.entrySet()) {
        unpack(file.getKey(), file.getValue(), unfinished);
      }
      Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      // Another process may have been faster.
      if (!Files.isDirectory(folder)) {
        throw e;
      }
    } finally {
      delete(unfinished);
    }
    return folder;
  }

  private Map<String, String> checksums(String index) throws IOException {
    Map<String, String> checksums = new LinkedHashMap<>();
    for (String line : index.lines().toList()) {
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches()) {
        throw new IOException(
            "The packaged model %s has an index %s with the line \"%s\", but each must be a SHA-256 checksum and a file name."
                .formatted(name, INDEX, line));
      }
      checksums.put(matcher.group(2), matcher.group(1));
    }
    return checksums;
  }

  private void unpack(String file, String checksum, Path folder) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(read(file), digest);
        OutputStream out = Files.newOutputStream(folder.resolve(file))) {
      in.transferTo(out);
    }
    if (!HexFormat.of().formatHex(digest.digest()).equals(checksum)) {
      throw new IOException(
          "The file %s of the packaged model %s is damaged: its checksum differs from that in %s."
              .formatted(file, name, INDEX));
    }
  }

  private InputStream read(String file) throws IOException {
    String path = "minimind/models/" + name + "/" + file;
    InputStream in = loader.getResourceAsStream(path);
    if (in == null) {
      throw new FileNotFoundException(
          "There is no model %s on the class path: %s is missing; add the dependency that contains it."
              .formatted(name, path));
    }
    return in;
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}

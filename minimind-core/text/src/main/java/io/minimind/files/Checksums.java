package io.minimind.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The index {@code SHA256SUMS} of a model, as the program {@code sha256sum} writes it. */
public final class Checksums {

  /** The name of the index. */
  public static final String INDEX = "SHA256SUMS";

  /** Names of files that an index can have: plain ones. */
  public static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,254}");

  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64}) [ *](" + NAME + ")");

  /** An index has a line for each of a model's dozen files. */
  private static final int LONGEST_INDEX = 1 << 20;

  private Checksums() {}

  /**
   * Writes the index of files beside them.
   *
   * @param files names in the folder
   */
  public static void write(Path folder, List<String> files) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String file : files) {
      lines.append(Sha256.of(folder.resolve(file))).append("  ").append(file).append('\n');
    }
    AtomicFile.replace(folder.resolve(INDEX), lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Compares files with the index beside them, where there is one.
   *
   * @throws IOException if a file is missing or another one, or the index is none
   */
  public static void verify(Path folder) throws IOException {
    Path index = folder.resolve(INDEX);
    if (!Files.exists(index)) {
      return;
    }
    byte[] contents;
    try (InputStream in = InputFile.open(index)) {
      contents = in.readNBytes(LONGEST_INDEX);
    }
    for (Map.Entry<String, String> line : parse(contents, index.toString()).entrySet()) {
      Path file = folder.resolve(line.getKey());
      if (!Files.isRegularFile(file)) {
        throw new IOException(
            "%s names the file %s, which is missing; download or export the model again."
                .formatted(index, line.getKey()));
      }
      if (!Sha256.of(file).equals(line.getValue())) {
        throw new IOException(
            "%s is damaged or was changed: its checksum differs from that in %s; download or export the model again, or, if the change is your own, delete its line there."
                .formatted(file, INDEX));
      }
    }
  }

  /**
   * @param index for messages
   * @return the checksum of each file name
   */
  public static Map<String, String> parse(byte[] contents, String index) throws IOException {
    Map<String, String> checksums = new LinkedHashMap<>();
    for (String line : new String(contents, StandardCharsets.UTF_8).lines().toList()) {
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches() || checksums.put(matcher.group(2), matcher.group(1)) != null) {
        throw new IOException(
            "%s has the line %s, but each must be a SHA-256 checksum and the name of a file, and none may stand there twice."
                .formatted(index, Quoted.text(line)));
      }
    }
    return checksums;
  }
}

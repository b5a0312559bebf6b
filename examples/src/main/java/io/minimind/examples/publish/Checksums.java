package io.minimind.examples.publish;

import io.minimind.files.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 checksums in a file that the program {@code sha256sum} reads and writes. */
final class Checksums {

  static final String FILE = "SHA256SUMS";

  private Checksums() {}

  /** Writes the checksums of files in a folder, and beside them. */
  static void write(Path folder, List<String> files) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String file : files) {
      lines.append(of(folder.resolve(file))).append("  ").append(file).append('\n');
    }
    AtomicFile.replace(folder.resolve(FILE), lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** The checksum of a file, in hexadecimal. */
  static String of(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java runtime has SHA-256.", e);
    }
  }
}

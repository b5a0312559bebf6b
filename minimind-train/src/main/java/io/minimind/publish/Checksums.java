package io.minimind.publish;

import io.minimind.files.AtomicFile;
import io.minimind.files.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** SHA-256 checksums in a file that the program {@code sha256sum} reads and writes. */
final class Checksums {

  static final String FILE = "SHA256SUMS";

  private Checksums() {}

  /** Writes the checksums of files in a folder, and beside them. */
  static void write(Path folder, List<String> files) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String file : files) {
      lines.append(Sha256.of(folder.resolve(file))).append("  ").append(file).append('\n');
    }
    AtomicFile.replace(folder.resolve(FILE), lines.toString().getBytes(StandardCharsets.UTF_8));
  }
}

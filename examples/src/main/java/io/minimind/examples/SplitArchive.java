package io.minimind.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A folder as a compressed archive in parts, for ways that take no large files.
 *
 * @param parts beside the folder, in order
 * @param script joins the parts and unpacks them where it lies
 */
record SplitArchive(List<Path> parts, Path script) {

  private static final int PIECE = 1 << 16;

  /**
   * @param folder kept as it is
   * @param partSize of each part but the last one, in bytes
   */
  static SplitArchive write(Path folder, long partSize) throws IOException {
    Path parent = folder.toAbsolutePath().getParent();
    String name = folder.getFileName().toString();
    List<Path> parts = new ArrayList<>();
    Process tar =
        new ProcessBuilder("tar", "-C", parent.toString(), "-czf", "-", name)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (InputStream archive = tar.getInputStream()) {
      byte[] piece = archive.readNBytes((int) Math.min(PIECE, partSize));
      while (piece.length > 0) {
        Path part = parent.resolve("%s.tar.gz.%03d".formatted(name, parts.size()));
        parts.add(part);
        try (OutputStream out = Files.newOutputStream(part)) {
          long left = partSize;
          while (piece.length > 0 && left > 0) {
            out.write(piece);
            left -= piece.length;
            piece = archive.readNBytes((int) Math.min(PIECE, left == 0 ? partSize : left));
          }
        }
      }
      if (tar.waitFor() != 0) {
        throw new IOException("tar could not pack " + folder + "; its message is above.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Packing was interrupted.", e);
    } finally {
      tar.destroy();
    }
    String names =
        parts.stream()
            .map(part -> GivenCommand.quoted(part.getFileName().toString()))
            .collect(Collectors.joining(" "));
    Path script =
        Files.writeString(
            parent.resolve("unpack-" + name + ".sh"),
            """
            #!/bin/sh
            # Joins the parts that lie beside this script and unpacks them.
            cd "$(dirname "$0")" && cat %s | tar -xzf - && echo Start with %s
            """
                .formatted(names, GivenCommand.quoted("./" + name + "/minimind")));
    return new SplitArchive(List.copyOf(parts), script);
  }
}

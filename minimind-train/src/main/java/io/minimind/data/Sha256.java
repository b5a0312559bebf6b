package io.minimind.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells the contents of files apart. */
final class Sha256 {

  private Sha256() {}

  static String of(byte[] contents) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java runtime has SHA-256.", e);
    }
  }

  /** The digest of a file, or {@code none} if there is no such file. */
  static String of(Path file) throws IOException {
    return Files.exists(file) ? of(Files.readAllBytes(file)) : "none";
  }
}

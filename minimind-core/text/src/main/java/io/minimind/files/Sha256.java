package io.minimind.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells contents apart: SHA-256 digests in hexadecimal. */
public final class Sha256 {

  private Sha256() {}

  /** A digest of what is still to come, for {@link #of(MessageDigest)}. */
  public static MessageDigest start() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java runtime has SHA-256.", e);
    }
  }

  /** Ends a digest. */
  public static String of(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  public static String of(byte[] contents) {
    MessageDigest digest = start();
    digest.update(contents);
    return of(digest);
  }

  /**
   * The digest of files, one after the other, of any size.
   *
   * @throws IOException if one cannot be read
   */
  public static String of(Path... files) throws IOException {
    MessageDigest digest = start();
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(file)) {
        while (channel.read(buffer.clear()) >= 0) {
          digest.update(buffer.flip());
        }
      }
    }
    return of(digest);
  }
}

package io.minimind.data;

import io.airlift.compress.MalformedInputException;
import io.airlift.compress.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The bytes of a file, uncompressed where it is compressed with gzip or Zstandard, which its first
 * bytes say. Knows how far in the file itself it is.
 */
final class CompressedInput extends FilterInputStream {

  private final Path file;
  private final Counting counting;
  private final boolean compressed;

  private CompressedInput(Path file, InputStream in, Counting counting, boolean compressed) {
    super(in);
    this.file = file;
    this.counting = counting;
    this.compressed = compressed;
  }

  /** Opens a file. */
  static CompressedInput open(Path file) throws IOException {
    Counting counting = new Counting(Files.newInputStream(file));
    try {
      BufferedInputStream buffered = new BufferedInputStream(counting, 1 << 16);
      buffered.mark(4);
      byte[] start = buffered.readNBytes(4);
      buffered.reset();
      boolean gzip = begins(start, 0x1F, 0x8B);
      boolean zstandard = begins(start, 0x28, 0xB5, 0x2F, 0xFD);
      InputStream in =
          gzip
              ? new GZIPInputStream(buffered, 1 << 16)
              : zstandard ? new ZstdInputStream(buffered) : buffered;
      return new CompressedInput(file, in, counting, gzip || zstandard);
    } catch (EOFException | ZipException | MalformedInputException e) {
      counting.close();
      throw damaged(file, e);
    } catch (IOException | RuntimeException e) {
      counting.close();
      throw e;
    }
  }

  /** Bytes of a file that are read already, and uncompressed. */
  static CompressedInput of(Path file, byte[] bytes) {
    Counting counting = new Counting(new ByteArrayInputStream(bytes));
    return new CompressedInput(file, counting, counting, false);
  }

  private static boolean begins(byte[] start, int... expected) {
    for (int i = 0; i < expected.length; i++) {
      if (i >= start.length || (start[i] & 0xFF) != expected[i]) {
        return false;
      }
    }
    return true;
  }

  /** The name that a file has without the ending of a compressed one, in lower case. */
  static String name(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.replaceFirst("\\.(gz|zst|zstd)$", "");
  }

  /** How many bytes of the file have been read. */
  long position() {
    return counting.count;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    try {
      return super.read(target, offset, length);
    } catch (IOException | RuntimeException e) {
      if (!compressed) {
        throw e;
      }
      throw damaged(file, e);
    }
  }

  private static IOException damaged(Path file, Exception e) {
    return new IOException(file + " cannot be uncompressed: it is damaged or cut short.", e);
  }

  private static final class Counting extends FilterInputStream {
    private long count;

    Counting(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int read = super.read(target, offset, length);
      count += Math.max(read, 0);
      return read;
    }
  }
}

package io.minimind.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Pieces of a file where each line is a row. To cut it, its bytes are read and its lines and rows
 * are counted, which takes a small part of the time of decoding and parsing them: that is left to
 * whoever reads a piece.
 */
final class LinePieces implements Pieces {

  /** A longer line is a row of too many characters, of which none has more than three bytes. */
  private static final int LONGEST = 3 * Utf8Reader.MAX_ROW_CHARS;

  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

  /**
   * Whole lines.
   *
   * @param offset of their first byte in the file
   * @param lines before them
   * @param rows before them
   */
  private record Lines(
      Path file, LineRowReader.Parser parser, byte[] bytes, long offset, long lines, long rows)
      implements Piece {
    @Override
    public Contents read() throws IOException {
      Utf8Reader text = Utf8Reader.of(file, bytes, offset, lines + 1);
      try (LineRowReader reader = new LineRowReader(file, text, parser, lines, rows)) {
        return Contents.read(reader, Integer.MAX_VALUE, Integer.MAX_VALUE);
      }
    }
  }

  private final Path file;
  private final LineRowReader.Parser parser;
  private final CompressedInput in;
  private final int size;
  private final CRC32C hash = new CRC32C();

  /** What is read and not given yet, from the start on. */
  private byte[] buffer = new byte[0];

  private int held;
  private boolean ended;

  /** Of what is given. */
  private long offset;

  private long lines;
  private long rows;

  private LinePieces(Path file, LineRowReader.Parser parser, CompressedInput in, int size) {
    this.file = file;
    this.parser = parser;
    this.in = in;
    this.size = size;
  }

  /**
   * @param size bytes of a piece, unless a line is longer
   */
  static LinePieces open(Path file, LineRowReader.Parser parser, int size) throws IOException {
    LinePieces pieces = new LinePieces(file, parser, CompressedInput.open(file), size);
    try {
      int mark = BYTE_ORDER_MARK.length;
      pieces.fill(mark);
      if (Arrays.equals(pieces.buffer, 0, pieces.held, BYTE_ORDER_MARK, 0, mark)) {
        pieces.give(mark);
      }
      return pieces;
    } catch (IOException e) {
      pieces.close();
      throw e;
    }
  }

  @Override
  public Optional<Piece> next() throws IOException {
    fill(size);
    while (!ended && lastLineEnd() == 0) {
      if (held == LONGEST) {
        throw Utf8Reader.tooLong(file, rows + 1, lines + 1);
      }
      fill(Math.min(2 * held, LONGEST));
    }
    if (held == 0) {
      return Optional.empty();
    }
    byte[] bytes = Arrays.copyOf(buffer, ended ? held : lastLineEnd());
    Piece piece = new Lines(file, parser, bytes, offset, lines, rows);
    hash.update(bytes);
    count(bytes);
    give(bytes.length);
    return Optional.of(piece);
  }

  /** Reads until so much is held, or all is read. */
  private void fill(int bytes) throws IOException {
    if (buffer.length < bytes) {
      buffer = Arrays.copyOf(buffer, bytes);
    }
    while (!ended && held < bytes) {
      int read = in.read(buffer, held, bytes - held);
      ended = read < 0;
      held += Math.max(read, 0);
    }
  }

  private void give(int bytes) {
    offset += bytes;
    held -= bytes;
    System.arraycopy(buffer, bytes, buffer, 0, held);
  }

  /** Behind the last line that is held whole, or 0. */
  private int lastLineEnd() {
    for (int i = held - 1; i >= 0; i--) {
      if (buffer[i] == '\n' || buffer[i] == '\r' && i + 1 < held) {
        return i + 1; // Behind a carriage return is no line feed, which would have been found.
      }
    }
    return 0;
  }

  private void count(byte[] bytes) {
    for (int start = 0; start < bytes.length; lines++) {
      int end = start;
      while (end < bytes.length && bytes[end] != '\n' && bytes[end] != '\r') {
        end++;
      }
      rows += isBlank(bytes, start, end) ? 0 : 1;
      boolean both = end + 1 < bytes.length && bytes[end] == '\r' && bytes[end + 1] == '\n';
      start = end + (both ? 2 : 1);
    }
  }

  /** As the line reader has it, which passes over blank lines. */
  private static boolean isBlank(byte[] bytes, int start, int end) {
    for (int i = start; i < end; i++) {
      if (bytes[i] < 0) {
        return new String(bytes, i, end - i, StandardCharsets.UTF_8).isBlank();
      }
      if (!Character.isWhitespace((char) bytes[i])) {
        return false;
      }
    }
    return true;
  }

  @Override
  public long position() {
    return in.position();
  }

  @Override
  public long hash() {
    return hash.getValue();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}

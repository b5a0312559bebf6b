package io.minimind.data;

import io.minimind.files.InputException;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Decodes UTF-8 strictly and can say where it is: the JDK's reader reports neither the line nor the
 * byte at which the encoding breaks. It also bounds how much one row may swallow, so that a quote
 * that is never closed ends in a sentence rather than in an exhausted heap.
 */
final class Utf8Reader extends Reader {
  static final int MAX_ROW_CHARS = 1 << 26;

  private final Path file;
  private final CompressedInput in;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);
  private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16).flip();
  private final CharBuffer chars = CharBuffer.allocate(1 << 13).flip();
  private long bytesRead;
  private boolean ended;
  private long line = 1;
  private char last;
  private long row = 1;
  private long rowLine = 1;
  private long rowChars;

  private Utf8Reader(Path file, CompressedInput in) {
    this.file = file;
    this.in = in;
  }

  static Utf8Reader open(Path file) throws IOException {
    Utf8Reader reader = new Utf8Reader(file, CompressedInput.open(file));
    try {
      reader.readBytes();
      reader.requireNoOtherEncoding();
      if (reader.fill() && reader.chars.get(0) == '\uFEFF') {
        reader.chars.get();
      }
      return reader;
    } catch (IOException e) {
      reader.close();
      throw e;
    }
  }

  /**
   * Decodes bytes of a file that are read already.
   *
   * @param offset of the first of them in the file
   * @param line that they begin
   */
  static Utf8Reader of(Path file, byte[] bytes, long offset, long line) {
    Utf8Reader reader = new Utf8Reader(file, CompressedInput.of(file, bytes));
    reader.bytesRead = offset;
    reader.line = line;
    return reader;
  }

  /** Tells which row is being read from here on, for the sentence about a row without end. */
  void startRow(long number, long startLine) {
    row = number;
    rowLine = startLine;
    rowChars = 0;
  }

  /** How many bytes of the file have been read, which are fewer where it is compressed. */
  long position() {
    return in.position();
  }

  /** The first character that is no white space, if it is near the start. */
  Optional<Character> firstCharacter() {
    for (int i = chars.position(); i < chars.limit(); i++) {
      if (!Character.isWhitespace(chars.get(i))) {
        return Optional.of(chars.get(i));
      }
    }
    return Optional.empty();
  }

  /** Texts of two bytes a character may be valid UTF-8, full of NULs. */
  private void requireNoOtherEncoding() throws IOException {
    int[] zeros = new int[2];
    for (int i = 0; i < bytes.limit(); i++) {
      zeros[i % 2] += bytes.get(i) == 0 ? 1 : 0;
    }
    boolean marked =
        bytes.limit() >= 2
            && (bytes.getShort(0) == (short) 0xFEFF || bytes.getShort(0) == (short) 0xFFFE);
    int most = Math.max(zeros[0], zeros[1]);
    if (!marked && most * 10 < bytes.limit()) {
      return;
    }
    boolean littleEndian = marked ? bytes.get(0) == (byte) 0xFF : zeros[1] >= zeros[0];
    boolean wide = Math.min(zeros[0], zeros[1]) * 3 > most;
    throw new IOException(
        "%s is %s, not UTF-8: save it as UTF-8."
            .formatted(file, wide ? "UTF-32 or no text" : littleEndian ? "UTF-16LE" : "UTF-16BE"));
  }

  @Override
  public int read(char[] target, int offset, int count) throws IOException {
    if (count == 0) {
      return 0;
    }
    if (!chars.hasRemaining() && !fill()) {
      return -1;
    }
    int given = Math.min(count, chars.remaining());
    chars.get(target, offset, given);
    return given;
  }

  /** Decodes more characters; those before a broken byte are given out before it is reported. */
  private boolean fill() throws IOException {
    chars.clear();
    while (true) {
      CoderResult result = decoder.decode(bytes, chars, ended);
      if (chars.position() > 0) {
        break;
      }
      if (result.isError()) {
        throw new InputException(
            String.format(
                "%s is not valid UTF-8 at line %d (byte 0x%02x at offset %d): save it as UTF-8.",
                file, line, bytes.get(bytes.position()), bytesRead - bytes.remaining()));
      }
      if (ended) {
        chars.flip();
        return false;
      }
      readBytes();
    }
    chars.flip();
    countLines();
    rowChars += chars.remaining();
    if (rowChars > MAX_ROW_CHARS) {
      throw tooLong(file, row, rowLine);
    }
    return true;
  }

  /** What is said of a row without end. */
  static InputException tooLong(Path file, long row, long line) {
    return new InputException(
        String.format(
            "Row %d of %s, which starts at line %d, is longer than %d characters: close its quote"
                + " or split it.",
            row, file, line, MAX_ROW_CHARS));
  }

  private void readBytes() throws IOException {
    bytes.compact();
    int count = in.read(bytes.array(), bytes.position(), bytes.remaining());
    ended = count < 0;
    bytesRead += Math.max(count, 0);
    bytes.position(bytes.position() + Math.max(count, 0)).flip();
  }

  private void countLines() {
    for (int i = chars.position(); i < chars.limit(); i++) {
      char c = chars.get(i);
      if (c == '\r' || (c == '\n' && last != '\r')) {
        line++;
      }
      last = c;
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}

package io.minimind.data;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Encoded rows: the tokens of all samples and the values of their columns, the length and checksum
 * of each, and the rows that gave none.
 *
 * @param bytes the tokens, in an array of their own
 * @param values of the columns, in an array of their own
 */
record Chunk(
    int rows,
    int tokens,
    long targets,
    int[] lengths,
    int[] checksums,
    ByteBuffer bytes,
    ByteBuffer values,
    List<SkippedRow> skipped) {

  /** Writes it for another process. */
  void write(DataOutputStream out) throws IOException {
    out.writeInt(rows);
    out.writeInt(tokens);
    out.writeLong(targets);
    write(lengths, out);
    write(checksums, out);
    write(bytes.array(), out);
    write(values.array(), out);
    out.writeInt(skipped.size());
    for (SkippedRow row : skipped) {
      out.writeLong(row.number());
      out.writeLong(row.line());
      write(row.reason().getBytes(StandardCharsets.UTF_8), out);
    }
  }

  /** Reads what {@link #write} wrote. */
  static Chunk read(DataInputStream in) throws IOException {
    return new Chunk(
        in.readInt(),
        in.readInt(),
        in.readLong(),
        readNumbers(in),
        readNumbers(in),
        ByteBuffer.wrap(readBytes(in)),
        ByteBuffer.wrap(readBytes(in)),
        readSkipped(in));
  }

  private static void write(int[] numbers, DataOutputStream out) throws IOException {
    out.writeInt(numbers.length);
    for (int number : numbers) {
      out.writeInt(number);
    }
  }

  private static void write(byte[] bytes, DataOutputStream out) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static int[] readNumbers(DataInputStream in) throws IOException {
    int[] numbers = new int[in.readInt()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = in.readInt();
    }
    return numbers;
  }

  private static byte[] readBytes(DataInputStream in) throws IOException {
    return in.readNBytes(in.readInt());
  }

  private static List<SkippedRow> readSkipped(DataInputStream in) throws IOException {
    List<SkippedRow> skipped = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      skipped.add(
          new SkippedRow(
              in.readLong(), in.readLong(), new String(readBytes(in), StandardCharsets.UTF_8)));
    }
    return skipped;
  }
}

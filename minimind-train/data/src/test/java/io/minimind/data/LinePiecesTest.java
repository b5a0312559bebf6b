package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.ByteRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

/** Whatever a file of lines is cut into, its rows are those that one reader finds. */
class LinePiecesTest {

  private static final List<List<String>> TEXT = List.of(List.of("text"));

  /** Rows, and the sentence that ended them, if one did. */
  private record Found(List<Row> rows, String failure) {}

  @Property(tries = 500)
  void thePiecesHaveAllRows(
      @ForAll
          @StringLength(min = 1, max = 60)
          @Chars({
            '\n', '\r', ' ', '\t', '\u001c', 'a', '"', '\u00a0', '\u3000', '\u2028', '\uFEFF'
          })
          String text,
      @ForAll @IntRange(min = 4, max = 30) int size)
      throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Found one = inOne(bytes);
    assertEquals("", one.failure);
    assertEquals(one, inPieces(bytes, size));
  }

  /** Bytes that are no UTF-8 are named as one reader names them. */
  @Property(tries = 500)
  void aBrokenByteIsWhereItIs(
      @ForAll @Size(min = 1, max = 40) List<@ByteRange(min = -62, max = 14) Byte> values,
      @ForAll @IntRange(min = 4, max = 20) int size)
      throws IOException {
    byte[] bytes = new byte[values.size()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = values.get(i) == 0 ? (byte) 'a' : values.get(i);
    }
    Found one = inOne(bytes);
    Found pieces = inPieces(bytes, size);
    assertEquals(one.failure, pieces.failure);
    assertEquals(one.rows.subList(0, pieces.rows.size()), pieces.rows);
  }

  private static Found inOne(byte[] bytes) throws IOException {
    return found(bytes, LinePiecesTest::read);
  }

  private static Found inPieces(byte[] bytes, int size) throws IOException {
    return found(
        bytes,
        (file, rows) -> {
          try (Pieces pieces = open(file).pieces(size)) {
            for (Optional<Pieces.Piece> piece = pieces.next();
                piece.isPresent();
                piece = pieces.next()) {
              rows.addAll(piece.get().read().rows());
            }
          }
        });
  }

  private interface Reading {
    void into(Path file, List<Row> rows) throws IOException;
  }

  private static Found found(byte[] bytes, Reading reading) throws IOException {
    Path file = Files.createTempFile("lines", ".txt");
    List<Row> rows = new ArrayList<>();
    try {
      Files.write(file, bytes);
      reading.into(file, rows);
      return new Found(rows, "");
    } catch (IOException e) {
      return new Found(rows, e.getMessage().replace(file.toString(), "FILE"));
    } finally {
      Files.delete(file);
    }
  }

  private static LineRowReader open(Path file) throws IOException {
    return (LineRowReader) Rows.of(file).open(TEXT);
  }

  private static void read(Path file, List<Row> rows) throws IOException {
    try (RowReader reader = open(file)) {
      for (Optional<Row> row = reader.next(); row.isPresent(); row = reader.next()) {
        rows.add(row.get());
      }
    }
  }

  @Test
  void aLineWithoutEndIsRefusedWithItsPlace() throws IOException {
    Path file = Files.createTempFile("lines", ".txt");
    try {
      try (var out = Files.newOutputStream(file)) {
        out.write("one\n\n".getBytes(StandardCharsets.UTF_8));
        byte[] more = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 200; i++) {
          out.write(more);
        }
      }
      try (Pieces pieces = open(file).pieces(Pieces.SIZE)) {
        assertEquals(1, pieces.next().orElseThrow().read().rows().size());
        String sentence = assertThrows(IOException.class, pieces::next).getMessage();
        assertTrue(sentence.startsWith("Row 2 of " + file + ", which starts at line 3, is longer"));
      }
    } finally {
      Files.delete(file);
    }
  }
}

package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.QuoteMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRowsTest {
  private static final String BOM = "\uFEFF";

  @TempDir Path folder;

  @Property(tries = 200)
  void readsBackWhatWasWritten(
      @ForAll @Size(max = 20)
          List<
                  @StringLength(max = 30) @Chars({',', '"', '\n', '\r', ' ', '\\', '#'})
                  @CharRange(from = '一', to = '丏') String>
              texts,
      @ForAll boolean windows,
      @ForAll boolean mark)
      throws IOException {
    Path file = Files.createTempFile("rows", ".csv");
    StringBuilder csv = new StringBuilder(mark ? BOM : "");
    CSVFormat format =
        CSVFormat.DEFAULT
            .builder()
            .setQuoteMode(QuoteMode.ALL)
            .setRecordSeparator(windows ? "\r\n" : "\n")
            .get();
    try (CSVPrinter printer = new CSVPrinter(csv, format)) {
      printer.printRecord("id", "text");
      for (String text : texts) {
        printer.printRecord(7, text);
      }
    }
    Files.writeString(file, csv);
    try {
      List<Row> rows = rows(file, "text", "id");
      assertEquals(texts.stream().map(text -> List.of(text, "7")).toList(), cells(rows));
      long line = 2;
      for (int i = 0; i < texts.size(); i++) {
        assertEquals(i + 1, rows.get(i).number());
        assertEquals(line, rows.get(i).line());
        line += 1 + texts.get(i).replace("\r\n", "\n").chars().filter(c -> c < ' ').count();
      }
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void readsCharactersThatStraddleItsBuffers() throws IOException {
    String text = "a" + "𝒳".repeat(40_000) + "荼䕷é".repeat(30_000);
    Path file = write("straddle.csv", "text\n" + text + "\nb" + text + "\n");
    assertEquals(List.of(List.of(text), List.of("b" + text)), cells(rows(file, "text")));
  }

  @Test
  void readsJsonLines() throws IOException {
    String text = "他说：\"好\"\n第二行";
    String json = new ObjectMapper().writeValueAsString(Map.of("text", text, "more", 1));
    Path file = write("rows.jsonl", BOM + json + "\r\n\n{\"text\": null}\n{\"text\": [1, \"a\"]}");
    List<Row> rows = rows(file, "text");
    assertEquals(List.of(List.of(text), List.of(""), List.of("[1,\"a\"]")), cells(rows));
    assertEquals(List.of(1L, 3L, 4L), rows.stream().map(Row::line).toList());
  }

  @Test
  void whatIsNoTextInJsonIsMarked() throws IOException {
    for (String name : List.of("types.jsonl", "types.json")) {
      String json = "{\"a\": 5, \"b\": \"5\", \"c\": null}\n{\"a\": true, \"b\": [], \"c\": {}}";
      List<Row> rows = rows(write(name, json), "a", "b", "c");
      assertEquals(List.of(List.of("5", "5", ""), List.of("true", "[]", "{}")), cells(rows));
      assertEquals(List.of(Set.of(0), Set.of(0, 1, 2)), rows.stream().map(Row::json).toList());
      assertEquals("5", rows.get(0).text(1));
      assertThrows(IllegalArgumentException.class, () -> rows.get(0).text(0));
    }
    assertEquals(Set.of(), rows(write("types.csv", "a\n5\n"), "a").get(0).json());
  }

  /** Which of the two would be meant, nobody knows. */
  @Test
  void aNameThatStandsTwiceInAnObjectIsRefused() throws IOException {
    String twice = "{\"text\": \"a\", \"text\": \"b\"}";
    for (String name : List.of("twice.jsonl", "twice.json")) {
      Path file = write(name, twice + "\n");
      IOException e = assertThrows(IOException.class, () -> rows(file, "text"));
      assertTrue(e.getMessage().contains("Duplicate field 'text'"), e.getMessage());
    }
    Path array = write("array.json", "[{\"text\": \"c\"},\n" + twice + "]");
    IOException e = assertThrows(IOException.class, () -> rows(array, "text"));
    assertTrue(e.getMessage().contains("Duplicate field 'text'"), e.getMessage());
  }

  @Test
  void readsJsonArraysAndObjectsInARow() throws IOException {
    String array =
        " [\n{\"text\": \"一\"},\n\n{\"text\": {\"a\": [1]},\n \"b\": 2}, {\"text\":\"三\"}]\n";
    String lines = "{\"text\": \"一\"}\n\n\n{\"text\": {\"a\": [1]}} {\"text\":\"三\"}";
    int file = 0;
    for (String json : List.of(array, lines)) {
      List<Row> rows = rows(write(file++ + ".json", BOM + json), "text");
      assertEquals(List.of(List.of("一"), List.of("{\"a\":[1]}"), List.of("三")), cells(rows));
      assertEquals(List.of(1L, 2L, 3L), rows.stream().map(Row::number).toList());
      long first = json.startsWith("{") ? 1 : 2;
      long third = json.startsWith("{") ? 4 : 5;
      assertEquals(List.of(first, 4L, third), rows.stream().map(Row::line).toList());
    }
    assertEquals(List.of(), rows(write("none.json", "[]"), "text"));
  }

  @Test
  void aLongJsonArrayIsStreamed() throws IOException {
    Path file = folder.resolve("long.json");
    int count = 200_000;
    try (var out = Files.newBufferedWriter(file)) {
      out.write("[");
      for (int i = 0; i < count; i++) {
        out.write((i == 0 ? "" : ",\n") + "{\"text\": \"" + i + "\"}");
      }
      out.write("]");
    }
    try (RowReader reader = Rows.of(file).open(List.of(List.of("text")))) {
      for (int i = 0; i < count; i++) {
        if (i == count / 2) {
          long half = Files.size(file) / 2;
          assertEquals(half, reader.position(), 1 << 17, "no more is read than needed");
        }
        assertEquals(Integer.toString(i), reader.next().orElseThrow().cells().get(0));
      }
      assertEquals(Optional.empty(), reader.next());
      assertEquals(Optional.empty(), reader.next());
    }
  }

  @Test
  void rowsAfterABrokenOneAreStillRead() throws IOException {
    Path csv = write("some.csv", "text,b\none,1\ntwo,2,3\nthree,4\n");
    Path lines = write("some.jsonl", "{\"text\":\"one\"}\n{\"text\":\n{\"text\":\"three\"}\n");
    Path array = write("some.json", "[{\"text\":\"one\"},\n7,\n{\"text\":\"three\"}]");
    for (Path file : List.of(csv, lines, array)) {
      try (RowReader reader = Rows.of(file).open(List.of(List.of("text")))) {
        assertEquals("one", reader.next().orElseThrow().cells().get(0));
        SkippedRow row = assertThrows(MalformedRowException.class, reader::next).row();
        assertEquals(2, row.number());
        assertEquals(file == csv ? 3 : 2, row.line());
        Row third = reader.next().orElseThrow();
        assertEquals(List.of("three"), third.cells());
        assertEquals(3, third.number());
        assertEquals(Optional.empty(), reader.next());
      }
    }
  }

  @Test
  void theFirstSetOfColumnsThatIsThereIsRead() throws IOException {
    List<List<String>> alternatives = List.of(List.of("q", "a"), List.of("text"));
    assertEquals(
        List.of(List.of("1", "2")), cells(any(write("b.csv", "text,a,q\n3,2,1\n"), alternatives)));
    assertEquals(List.of(List.of("3")), cells(any(write("c.csv", "text,a\n3,2\n"), alternatives)));
    Path mixed = write("d.jsonl", "{\"text\":\"3\",\"q\":\"1\"}\n{\"q\":\"1\",\"a\":\"2\"}\n");
    assertEquals(List.of(List.of("3"), List.of("1", "2")), cells(any(mixed, alternatives)));
    Path none = write("e.csv", "a,b\n1,2\n");
    IOException e = assertThrows(IOException.class, () -> any(none, alternatives));
    assertTrue(e.getMessage().contains("\"q\", \"a\"; or \"text\""), e.getMessage());
    assertTrue(e.getMessage().contains("names [\"a\", \"b\"]"), e.getMessage());
  }

  private static List<Row> any(Path file, List<List<String>> alternatives) throws IOException {
    try (RowReader reader = Rows.of(file).open(alternatives)) {
      return drain(reader);
    }
  }

  @Test
  void aMissingColumnIsNamedWithThoseThatAreThere() throws IOException {
    Path csv = write("columns.csv", "history,q\n1,2\n");
    assertSays(csv, csv.toString(), "\"text\"", "\"history\", \"q\"");
    Path json = write("columns.jsonl", "{\"text\":\"a\"}\n{\"q\":\"b\"}\n");
    assertSays(json, json.toString(), "line 2", "\"text\"", "[q]");
  }

  @Test
  void brokenUtf8IsLocated() throws IOException {
    byte[] bytes = "text\nfirst\n\"se\r\ncond\"\nthi\u00e9rd\n".getBytes(StandardCharsets.UTF_8);
    int broken = bytes.length - 5;
    assertEquals((byte) 0xc3, bytes[broken]);
    bytes[broken + 1] = 'x';
    Path file = folder.resolve("broken.csv");
    Files.write(file, bytes);
    assertSays(file, file.toString(), "UTF-8", "line 5", "offset " + broken);
    Files.write(file, Arrays.copyOf(bytes, broken + 1));
    assertSays(file, file.toString(), "UTF-8", "line 5", "offset " + broken);
  }

  @Test
  void rowsBeforeABrokenByteAreStillRead() throws IOException {
    Path file = folder.resolve("late.csv");
    byte[] bytes = ("text\n" + "a".repeat(50_000) + "\nb\n\nc?").getBytes(StandardCharsets.UTF_8);
    bytes[bytes.length - 1] = (byte) 0xff;
    Files.write(file, bytes);
    try (RowReader reader = Rows.of(file).open(List.of(List.of("text")))) {
      assertEquals("a".repeat(50_000), reader.next().orElseThrow().cells().get(0));
      IOException e = assertThrows(IOException.class, () -> drain(reader));
      assertTrue(e.getMessage().contains("line 5"), e.getMessage());
    }
  }

  @Test
  void anUnclosedQuoteIsLocated() throws IOException {
    Path file = write("quote.csv", "text\n\"one\ntwo\"\n\"three\nfour\nfive\n");
    assertSays(file, file.toString(), "row 2", "line 4", "never closed");
    Path header = write("header.csv", "\"text\nfour\nfive\n");
    assertSays(header, header.toString(), "the header", "line 1", "never closed");
  }

  @Test
  void aQuoteThatIsNotDoubledIsLocated() throws IOException {
    Path file = write("double.csv", "text\none\n\"he said \"hi\" to me\"\n");
    assertSays(file, file.toString(), "row 2", "line 3", "double");
  }

  @Test
  void anEndlessRowDoesNotFillTheHeap() throws IOException {
    Path file = folder.resolve("endless.csv");
    try (var out = Files.newBufferedWriter(file)) {
      out.write("text\none\n\"");
      String line = "x".repeat(1 << 20) + "\n";
      for (int i = 0; i < 80; i++) {
        out.write(line);
      }
    }
    assertSays(file, file.toString(), "Row 2", "line 3", "longer than");
  }

  @Test
  void cellsThatAreTooManyAreReported() throws IOException {
    Path file = write("commas.csv", "text\none\ntwo, three\n");
    assertSays(file, file.toString(), "Row 2", "line 3", "2 cells", "quotes");
  }

  @Test
  void eachLineOfPlainTextIsARow() throws IOException {
    Path file = write("lines.TXT", BOM + "一, \"二\"\r\n \n\n three\n{\"text\": 4}");
    assertEquals(
        List.of(
            new Row(1, 1, List.of("一, \"二\"")),
            new Row(2, 4, List.of(" three")),
            new Row(3, 5, List.of("{\"text\": 4}"))),
        rows(file, "text"));
    IOException e = assertThrows(IOException.class, () -> rows(file, "q", "a"));
    assertTrue(e.getMessage().contains("lines.TXT is plain text"), e.getMessage());
    assertSays(write("empty.txt", ""), "empty.txt", "is empty");
  }

  @Test
  void whatIsNoCorpusFileIsReported() throws IOException {
    assertSays(folder.resolve("none.csv"), "There is no file", "none.csv");
    assertSays(folder, folder.toString(), "is a folder");
    assertSays(write("empty.csv", ""), "empty.csv", "is empty");
    assertSays(write("blank.csv", BOM + "\n\n"), "blank.csv", "is empty");
    assertSays(write("bad.jsonl", "{\"text\": \"a\"}\n{\"text\": "), "bad.jsonl", "line 2", "JSON");
    assertSays(
        write("word.jsonl", "{\"text\": \"a\"}\n{\"text\": b}\n"),
        "word.jsonl",
        "line 2",
        "at column 1",
        "b is no value in JSON");
    assertSays(
        write("comma.json", "[{\"text\": \"a\"\n \"b\": 1}]"),
        "comma.json is not JSON at line 2, column 2, row 1: there is '\"' where a comma or the end"
            + " of the object should stand.");
    assertSays(write("cut.json", "[{\"text\": \"a\"},\n"), "cut.json", "line 2", "not JSON");
    assertSays(write("more.json", "[] 1"), "more.json", "after the end of its array");
    assertSays(write("blank.json", " \n"), "blank.json", "is empty");
    assertSays(write("array.jsonl", "[1]"), "array.jsonl", "line 1", "no object");
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static List<Row> rows(Path file, String... columns) throws IOException {
    try (RowReader reader = Rows.of(file).open(List.of(List.of(columns)))) {
      List<Row> rows = drain(reader);
      assertEquals(Files.size(file), reader.position());
      return rows;
    }
  }

  private static List<Row> drain(RowReader reader) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (Optional<Row> row = reader.next(); row.isPresent(); row = reader.next()) {
      rows.add(row.get());
    }
    return rows;
  }

  private static List<List<String>> cells(List<Row> rows) {
    return rows.stream().map(Row::cells).toList();
  }

  private static void assertSays(Path file, String... parts) {
    IOException e = assertThrows(IOException.class, () -> rows(file, "text"));
    for (String part : parts) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
    }
  }
}

package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import blue.strategic.parquet.ParquetWriter;
import io.airlift.compress.zstd.ZstdOutputStream;
import io.minimind.chat.Message;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What rows come in besides plain files, and what is said of files that are no such thing. */
class DataFormatsTest {

  private static final List<List<String>> TEXT = List.of(List.of("text"));

  @TempDir Path folder;

  @Test
  void compressedFilesAreReadByWhatTheyHold() throws IOException {
    String csv = "text\none\n\"two, three\"\n";
    for (String name : List.of("a.csv.gz", "a.csv.zst", "a.csv", "b.GZ")) {
      assertEquals(List.of("one", "two, three"), texts(write(name, gzip(csv))), name);
      assertEquals(List.of("one", "two, three"), texts(write(name, zstandard(csv))), name);
    }
    String json = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n";
    assertEquals(List.of("one", "two"), texts(write("a.jsonl.gz", gzip(json))));
    assertEquals(List.of("one", "two"), texts(write("a.txt.zst", zstandard("one\ntwo\n"))));
  }

  @Test
  void aCompressedFileThatIsCutIsRefused() throws IOException {
    String csv = "text\n" + "some words\n".repeat(5000);
    for (byte[] whole : List.of(gzip(csv), zstandard(csv))) {
      Path file = write("cut.csv.gz", Arrays.copyOf(whole, whole.length - 9));
      IOException refusal = assertThrows(IOException.class, () -> texts(file));
      assertEquals(
          file + " cannot be uncompressed: it is damaged or cut short.", refusal.getMessage());
    }
  }

  @Test
  void parquetIsRead() throws IOException {
    Path file = folder.resolve("rows.parquet");
    MessageType schema =
        new MessageType(
            "rows",
            Types.required(PrimitiveTypeName.INT64).named("id"),
            Types.required(PrimitiveTypeName.BINARY)
                .as(LogicalTypeAnnotation.stringType())
                .named("text"));
    try (ParquetWriter<String> writer =
        ParquetWriter.writeFile(
            schema,
            file.toFile(),
            (text, values) -> {
              values.write("id", 7L);
              values.write("text", text);
            })) {
      writer.write("one");
      writer.write("河");
    }
    assertEquals(List.of("one", "河"), texts(file));
    IOException refusal =
        assertThrows(IOException.class, () -> Rows.of(file).open(List.of(List.of("q"))));
    assertTrue(
        refusal.getMessage().contains("its columns are \"id\", \"text\""), refusal.getMessage());
    Path broken = write("broken.parquet", "PAR1 and no more".getBytes(StandardCharsets.UTF_8));
    refusal = assertThrows(IOException.class, () -> texts(broken));
    assertTrue(
        refusal.getMessage().contains("no Parquet file, or it is damaged"), refusal.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE"})
  void textOfTwoBytesACharacterIsNamed(String encoding) throws IOException {
    for (String text : List.of("abc def\nxyz\n", "text\n河边的石头 and more\n")) {
      Path file = write("a.txt", text.getBytes(Charset.forName(encoding)));
      IOException refusal = assertThrows(IOException.class, () -> texts(file));
      assertEquals(
          file + " is " + encoding + ", not UTF-8: save it as UTF-8.", refusal.getMessage());
    }
  }

  @Test
  void anArrayWithARowOnEachLineIsRead() throws IOException {
    String array = "[\n{\"text\": \"one\"},\n{\"text\": \"two\"}\n]\n";
    for (String name : List.of("a.jsonl", "a.json")) {
      assertEquals(
          List.of("one", "two"), texts(write(name, array.getBytes(StandardCharsets.UTF_8))));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"text\":\"a\"}{\"text\":\"b\"} | there is more after its end",
        "{\"text\":\"c\"} // note | where a comment seems to begin, which JSON does not have",
        "{\"text\": NaN} | no value in JSON",
        "{\"text\": tru} | tru",
        "{\"text\":\"d\",} | where a name in double quotes should begin"
      })
  void whatIsWrongWithARowIsSaidWithoutTheParser(String line, String problem) throws IOException {
    Path file = write("a.jsonl", (line + "\n").getBytes(StandardCharsets.UTF_8));
    IOException refusal = assertThrows(MalformedRowException.class, () -> texts(file));
    assertTrue(refusal.getMessage().contains(problem), refusal.getMessage());
    for (String own : List.of("Feature", "fasterxml", "JsonNode", "JsonParser", "`")) {
      assertFalse(refusal.getMessage().contains(own), refusal.getMessage());
    }
  }

  @Test
  void whatStandsBesideTheMessagesCounts() throws IOException {
    List<String> columns = List.of("conversations", "system", "tools");
    String talk =
        "[{\"from\": \"human\", \"value\": \"A?\"}, {\"from\": \"gpt\", \"value\": \"B.\"}]";
    Row row =
        new Row(
            1, 1, List.of(talk, "Be brief.", "[{\"name\": \"weather\"}]"), Set.of(0, 2), columns);
    List<Message> messages = Conversation.of(row).messages();
    assertEquals(
        List.of("system", "user", "assistant"), messages.stream().map(Message::role).toList());
    assertEquals("Be brief.", messages.get(0).content());
    assertEquals(List.of(Map.of("name", "weather")), Conversation.of(row).tools());
    Row twice =
        new Row(
            1,
            1,
            List.of("[{\"from\": \"system\", \"value\": \"S\"}, " + talk.substring(1), "Be brief."),
            Set.of(0),
            List.of("conversations", "system"));
    assertThrows(IllegalArgumentException.class, () -> Conversation.of(twice));
  }

  @Test
  void aCorpusIsCountedAndPrepared() throws IOException {
    Path file =
        write(
            "a.txt",
            """
            the stone by the river, and the mill
            the stone by the river, and the mill
            the stone by the river, and the mills
            小河慢慢地流
            x
            """
                .getBytes(StandardCharsets.UTF_8));
    CorpusStatistics found = CorpusStatistics.of(Rows.of(file), Optional.empty(), read -> {});
    assertEquals(5, found.rows());
    assertEquals(1, found.duplicates());
    assertEquals(37, found.length(100));
    assertTrue(found.chinese() > 0.04 && found.chinese() < 0.06, "" + found.chinese());
    Path out = folder.resolve("out.jsonl");
    CorpusPreparation.Result result =
        new CorpusPreparation(2, 100, 0, CorpusPreparation.Duplicates.SIMILAR)
            .write(Rows.of(file), out, read -> {});
    assertEquals(2, result.written());
    assertEquals(Map.of("too short", 1L, "there already", 2L), result.leftOut());
    assertEquals(List.of("the stone by the river, and the mill", "小河慢慢地流"), texts(out));
    assertEquals(
        1,
        new CorpusPreparation(2, 100, 0.5, CorpusPreparation.Duplicates.KEEP)
            .write(Rows.of(file), out, read -> {})
            .written());
  }

  private static List<String> texts(Path file) throws IOException {
    List<String> texts = new ArrayList<>();
    try (RowReader reader = Rows.of(file).open(TEXT)) {
      for (Optional<Row> row = reader.next(); row.isPresent(); row = reader.next()) {
        texts.add(row.get().text(0));
      }
    }
    return texts;
  }

  private Path write(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static byte[] zstandard(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new ZstdOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  @Test
  void ofColumnsThatMayBeThereBesidesNothingIsSaid() throws IOException {
    Path file = write("other.csv", "a,b\n1,2\n".getBytes(StandardCharsets.UTF_8));
    List<List<String>> sets =
        List.of(List.of("q", "a", "system"), List.of("q", "a"), List.of("text"));
    assertEquals(
        file
            + " has none of the columns \"q\", \"a\"; or \"text\": its first line names [\"a\","
            + " \"b\"].",
        assertThrows(IOException.class, () -> Rows.of(file).open(sets)).getMessage());
  }
}

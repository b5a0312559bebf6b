package io.minimind.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.InputException;
import io.minimind.files.JsonErrors;
import io.minimind.files.StrictJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Rows of a file with one row in each line; blank lines are passed over. */
final class LineRowReader implements RowReader {
  private static final ObjectMapper JSON = StrictJson.mapper();
  private static final List<String> TEXT = List.of("text");

  /** Makes a row of a line, on any thread. */
  @FunctionalInterface
  interface Parser {
    Row parse(long number, long line, String text) throws IOException;
  }

  private final Path file;
  private final Utf8Reader reader;
  private final BufferedReader lines;
  private final Parser parser;
  private long line;
  private long rows;

  /**
   * @param line how many lines there are before those of the reader
   * @param rows how many rows there are in them
   */
  LineRowReader(Path file, Utf8Reader reader, Parser parser, long line, long rows) {
    this.file = file;
    this.reader = reader;
    this.parser = parser;
    this.line = line;
    this.rows = rows;
    lines = new BufferedReader(reader);
  }

  /** Each line is a JSON object. */
  static LineRowReader json(Path file, Utf8Reader reader, List<List<String>> alternatives) {
    return new LineRowReader(
        file,
        reader,
        (number, line, text) ->
            JsonRowReader.row(file, number, line, parse(file, number, line, text), alternatives),
        0,
        0);
  }

  /**
   * Each line is a text.
   *
   * @throws IOException if other columns are asked for
   */
  static LineRowReader plainText(Path file, Utf8Reader reader, List<List<String>> alternatives)
      throws IOException {
    if (!alternatives.contains(TEXT)) {
      throw new InputException(
          "%s is plain text, where each line is a text: expected a .csv or .jsonl file with %s."
              .formatted(file, alternatives.get(0)));
    }
    return new LineRowReader(
        file, reader, (number, line, text) -> new Row(number, line, List.of(text)), 0, 0);
  }

  private static JsonNode parse(Path file, long number, long line, String text)
      throws MalformedRowException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      String reason = "it is not JSON%s: %s.".formatted(JsonErrors.column(e), JsonErrors.reason(e));
      throw new MalformedRowException(file.toString(), new SkippedRow(number, line, reason));
    }
  }

  /**
   * The same rows from the first on, in pieces; this reader ends.
   *
   * @param size bytes of a piece, about
   */
  Pieces pieces(int size) throws IOException {
    close();
    return LinePieces.open(file, parser, size);
  }

  @Override
  public Optional<Row> next() throws IOException {
    while (true) {
      reader.startRow(rows + 1, line + 1);
      String text = lines.readLine();
      if (text == null) {
        return Optional.empty();
      }
      line++;
      if (!text.isBlank()) {
        rows++;
        return Optional.of(parser.parse(rows, line, text));
      }
    }
  }

  @Override
  public long position() {
    return reader.position();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}

package io.minimind.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Rows of a file with one JSON object per line; blank lines are passed over. */
final class JsonLinesRowReader implements RowReader {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final Utf8Reader reader;
  private final BufferedReader lines;
  private final List<String> columns;
  private long rows;
  private long line;

  JsonLinesRowReader(Path file, Utf8Reader reader, List<String> columns) {
    this.file = file;
    this.reader = reader;
    this.columns = columns;
    lines = new BufferedReader(reader);
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
        return Optional.of(new Row(rows, line, cells(text)));
      }
    }
  }

  private List<String> cells(String text) throws IOException {
    JsonNode object;
    try {
      object = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IOException(
          String.format("Line %d of %s is not JSON: %s.", line, file, e.getOriginalMessage()), e);
    }
    List<String> cells = new ArrayList<>(columns.size());
    for (String column : columns) {
      JsonNode value = object.get(column);
      if (value == null) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        throw new IOException(
            String.format(
                "Line %d of %s has no \"%s\": expected a JSON object with it, found %s.",
                line, file, column, object.isObject() ? "the names " + names : "no object"));
      }
      cells.add(value.isNull() ? "" : value.isTextual() ? value.textValue() : value.toString());
    }
    return cells;
  }

  @Override
  public long bytesRead() {
    return reader.bytesRead();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}

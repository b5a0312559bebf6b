package io.minimind.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Rows of a file with one JSON object per line; blank lines are passed over. */
final class JsonLinesRowReader implements RowReader {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final Utf8Reader reader;
  private final BufferedReader lines;
  private final List<List<String>> alternatives;
  private long rows;
  private long line;

  JsonLinesRowReader(Path file, Utf8Reader reader, List<List<String>> alternatives) {
    this.file = file;
    this.reader = reader;
    this.alternatives = alternatives;
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
        return Optional.of(JsonRowReader.row(file, rows, line, parse(text), alternatives));
      }
    }
  }

  private JsonNode parse(String text) throws MalformedRowException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      String reason = "it is not JSON: " + e.getOriginalMessage() + ".";
      throw new MalformedRowException(file, new SkippedRow(rows, line, reason));
    }
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

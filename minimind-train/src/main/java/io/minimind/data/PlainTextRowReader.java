package io.minimind.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Rows of a plain text file: each line is a text; blank lines are passed over. */
final class PlainTextRowReader implements RowReader {
  private static final List<String> COLUMNS = List.of("text");

  private final Utf8Reader reader;
  private final BufferedReader lines;
  private long rows;
  private long line;

  PlainTextRowReader(Path file, Utf8Reader reader, List<List<String>> alternatives)
      throws IOException {
    this.reader = reader;
    lines = new BufferedReader(reader);
    if (!alternatives.contains(COLUMNS)) {
      throw new IOException(
          "%s is plain text, where each line is a text: expected a .csv or .jsonl file with %s."
              .formatted(file, alternatives.get(0)));
    }
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
        return Optional.of(new Row(rows, line, List.of(text)));
      }
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

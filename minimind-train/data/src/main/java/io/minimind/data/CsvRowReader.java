package io.minimind.data;

import io.minimind.files.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Rows of a CSV file with a header line; quoted cells may hold commas, quotes and line breaks. */
final class CsvRowReader implements RowReader {
  private final Path file;
  private final Utf8Reader reader;
  private final CSVParser parser;
  private final Iterator<CSVRecord> records;
  private final int width;
  private final int[] positions;
  private final List<String> columns;
  private long rows;

  CsvRowReader(Path file, Utf8Reader reader, List<List<String>> alternatives) throws IOException {
    this.file = file;
    this.reader = reader;
    parser = CSVParser.parse(reader, CSVFormat.DEFAULT);
    records = parser.iterator();
    List<String> header =
        record()
            .orElseThrow(() -> new InputException(file + " is empty: expected rows of text."))
            .stream()
            .map(String::strip)
            .toList();
    width = header.size();
    columns =
        alternatives.stream()
            .filter(header::containsAll)
            .findFirst()
            .orElseThrow(() -> missing(header, alternatives));
    positions = columns.stream().mapToInt(header::indexOf).toArray();
  }

  private IOException missing(List<String> header, List<List<String>> alternatives) {
    String wanted =
        alternatives.size() == 1
            ? "no column "
                + ColumnSets.quoted(
                    alternatives.get(0).stream().filter(name -> !header.contains(name)).toList())
            : "none of the columns " + ColumnSets.describe(alternatives);
    return new InputException(
        "%s has %s: its first line names %s.".formatted(file, wanted, shorten(header)));
  }

  @Override
  public Optional<Row> next() throws IOException {
    long line = parser.getCurrentLineNumber() + 1;
    reader.startRow(rows + 1, line);
    Optional<CSVRecord> next = record();
    if (next.isEmpty()) {
      return Optional.empty();
    }
    rows++;
    CSVRecord record = next.get();
    if (record.size() != width) {
      throw new MalformedRowException(
          file.toString(),
          new SkippedRow(
              rows,
              line,
              "it has %d cells where the header has %d: put a text that holds commas in quotes."
                  .formatted(record.size(), width)));
    }
    List<String> cells = new ArrayList<>(positions.length);
    for (int position : positions) {
      cells.add(record.get(position));
    }
    return Optional.of(new Row(rows, line, cells, Set.of(), columns));
  }

  private Optional<CSVRecord> record() throws IOException {
    long line = parser.getCurrentLineNumber() + 1;
    try {
      return records.hasNext() ? Optional.of(records.next()) : Optional.empty();
    } catch (UncheckedIOException e) {
      if (!(e.getCause() instanceof CSVException)) {
        throw e.getCause();
      }
      String where =
          rows == 0 && parser.getRecordNumber() == 0 ? "the header" : "row " + (rows + 1);
      boolean unclosed = e.getCause().getMessage().contains("EOF");
      throw new InputException(
          String.format(
              "A quote in %s of %s, which starts at line %d, %s.",
              where,
              file,
              line,
              unclosed
                  ? "is never closed: close it, and double the quotes inside a text"
                  : "is followed by text: double the quotes inside a quoted text"),
          e);
    }
  }

  /** A file without a header shows its first text here, which may be long. */
  private static List<String> shorten(List<String> header) {
    return header.stream()
        .limit(20)
        .map(name -> "\"" + (name.length() > 40 ? name.substring(0, 40) + "…" : name) + "\"")
        .toList();
  }

  @Override
  public long position() {
    return reader.position();
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}

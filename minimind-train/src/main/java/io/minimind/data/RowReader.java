package io.minimind.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Reads the rows of a corpus file one after the other; no more than a row is held in memory. */
public interface RowReader extends Closeable {

  /**
   * Opens a file of rows that all have the same columns.
   *
   * @param columns the columns to read; others are passed over
   * @throws IOException as for {@link #openAny}
   */
  static RowReader open(Path file, List<String> columns) throws IOException {
    return openAny(file, List.of(columns));
  }

  /**
   * Opens a file: JSON lines if its name ends in {@code .jsonl}, a JSON array of objects or objects
   * one after the other if it ends in {@code .json}, plain text if it ends in {@code .txt}, where
   * each line is a row of the one column {@code text}, else CSV whose first line names the columns.
   * The text must be UTF-8, with or without a byte order mark.
   *
   * @param alternatives sets of columns of which the first is read that is there, in JSON that each
   *     row has; other columns are passed over
   * @throws IOException if the file is missing, empty, not a regular file or lacks columns; the
   *     message is one sentence
   */
  static RowReader openAny(Path file, List<List<String>> alternatives) throws IOException {
    requireFile(file);
    String name = file.toString().toLowerCase(Locale.ROOT);
    Utf8Reader reader = Utf8Reader.open(file);
    try {
      if (name.endsWith(".jsonl")) {
        return LineRowReader.json(file, reader, alternatives);
      }
      if (name.endsWith(".json")) {
        return new JsonRowReader(file, reader, alternatives);
      }
      return name.endsWith(".txt")
          ? LineRowReader.plainText(file, reader, alternatives)
          : new CsvRowReader(file, reader, alternatives);
    } catch (IOException | RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  /**
   * The next row, or nothing at the end of the file.
   *
   * @throws MalformedRowException if this row is broken; the next call gives the row after it
   * @throws IOException if the file is broken here; the message is one sentence that names the file
   *     and the place
   */
  Optional<Row> next() throws IOException;

  /** Bytes of the file consumed so far, read-ahead included. */
  long bytesRead();

  private static void requireFile(Path file) throws IOException {
    if (Files.notExists(file)) {
      throw new IOException("There is no file " + file + ": check the path of the data.");
    }
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder: name a .csv, .jsonl, .json or .txt file in it.");
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new IOException(file + " cannot be read: expected a regular, readable file.");
    }
    if (Files.size(file) == 0) {
      throw new IOException(file + " is empty: expected rows of text.");
    }
  }
}

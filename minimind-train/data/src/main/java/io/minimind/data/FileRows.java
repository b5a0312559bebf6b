package io.minimind.data;

import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Rows of a file, whose name says of which format it is. */
record FileRows(Path file) implements Rows {

  /** The same for every path to a file. */
  @Override
  public String name() {
    try {
      return file.toRealPath().toString();
    } catch (IOException e) {
      return file.toAbsolutePath().toString(); // Opening it says what is wrong.
    }
  }

  /** The time of its last change. */
  @Override
  public String fingerprint() throws IOException {
    return Files.getLastModifiedTime(file).toString();
  }

  @Override
  public long size() throws IOException {
    return Files.size(file);
  }

  @Override
  public RowReader open(List<List<String>> columns) throws IOException {
    requireFile();
    String name = CompressedInput.name(file);
    if (name.endsWith(".parquet")) {
      return ParquetRowReader.open(file, columns);
    }
    Utf8Reader reader = Utf8Reader.open(file);
    try {
      if (name.endsWith(".jsonl")) {
        // An array with a row on each line is often called that as well.
        return reader.firstCharacter().filter(first -> first == '[').isPresent()
            ? new JsonRowReader(file, reader, columns)
            : LineRowReader.json(file, reader, columns);
      }
      if (name.endsWith(".json")) {
        return new JsonRowReader(file, reader, columns);
      }
      return name.endsWith(".txt")
          ? LineRowReader.plainText(file, reader, columns)
          : new CsvRowReader(file, reader, columns);
    } catch (IOException | RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  private void requireFile() throws IOException {
    if (Files.notExists(file)) {
      throw new InputException("There is no file " + file + ": check the path of the data.");
    }
    if (Files.isDirectory(file)) {
      throw new InputException(
          file + " is a folder: name a .csv, .jsonl, .json, .txt or .parquet file in it.");
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new InputException(file + " cannot be read: expected a regular, readable file.");
    }
    if (Files.size(file) == 0) {
      throw new InputException(file + " is empty: expected rows of text.");
    }
  }
}

package io.minimind.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The rows of a corpus, which can be read again from the start: those of a file, or of whatever
 * else has rows. A table of a database, for example, reads its rows where its statement says so:
 *
 * <pre>{@code
 * public RowReader open(List<List<String>> columns) throws IOException {
 *   ResultSet result = query("select " + String.join(", ", columns.get(0)) + " from stories");
 *   ...
 * }
 * }</pre>
 */
public interface Rows {

  /**
   * The rows of a file: JSON lines if its name ends in {@code .jsonl}, a JSON array of objects or
   * objects one after the other if it ends in {@code .json}, plain text if it ends in {@code .txt},
   * where each line is a row of the one column {@code text}, else CSV whose first line names the
   * columns. The text must be UTF-8, with or without a byte order mark, and may be compressed with
   * gzip or Zstandard ({@code .csv.gz}, {@code .jsonl.zst}). A name that ends in {@code .parquet}
   * is a Parquet file, for which an application adds the library {@code
   * blue.strategic.parquet:parquet-floor}. The file is not looked at before the rows are opened.
   */
  static Rows of(Path file) {
    return new FileRows(file);
  }

  /**
   * What people call these rows, and what stays while they change: of a file its absolute path, of
   * a table for example {@code stories}. The last part of it becomes part of a file name.
   */
  String name();

  /**
   * Tells the states of these rows apart: their encoded samples are used again while it stays the
   * same. For example the number of rows with the time of the last change, or a digest of them.
   *
   * @throws IOException if it cannot be found out
   */
  String fingerprint() throws IOException;

  /**
   * Reads from the first row on.
   *
   * @param columns sets of columns of which the first is read that is there; {@link Row#cells} has
   *     them in this order
   * @throws IOException if the rows cannot be read or lack columns; the message is one sentence
   */
  RowReader open(List<List<String>> columns) throws IOException;

  /**
   * How much there is to read, to tell how far reading is: of a file its size in bytes; 0 if it is
   * not known.
   *
   * @throws IOException if it cannot be found out
   */
  default long size() throws IOException {
    return 0;
  }
}

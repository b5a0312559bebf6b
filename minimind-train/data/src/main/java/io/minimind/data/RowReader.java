package io.minimind.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** Gives rows one after the other; no more than a row need be held in memory. */
@FunctionalInterface
public interface RowReader extends Closeable {

  /**
   * The next row, or nothing at the end. Rows are numbered from 1 without gaps.
   *
   * @throws MalformedRowException if this row is broken; the next call gives the row after it
   * @throws IOException if no more rows can be read; the message is one sentence that says where
   */
  Optional<Row> next() throws IOException;

  /** How much of {@link Rows#size} is read so far, read-ahead included. */
  default long position() {
    return 0;
  }

  @Override
  default void close() throws IOException {}
}

package io.minimind.data;

import java.io.IOException;
import java.util.Optional;

/** Pieces of rows that must be read to tell where they end. */
final class RowPieces implements Pieces {

  private static final int MOST_ROWS = 1 << 12;

  private final RowReader reader;
  private long hash;

  RowPieces(RowReader reader) {
    this.reader = reader;
  }

  @Override
  public Optional<Piece> next() throws IOException {
    Contents read = Contents.read(reader, SIZE, MOST_ROWS);
    if (read.size() == 0) {
      return Optional.empty();
    }
    for (Row row : read.rows()) {
      hash = 31 * hash + row.cells().hashCode();
    }
    for (SkippedRow row : read.malformed()) {
      hash = 31 * hash + row.number();
    }
    return Optional.of(() -> read);
  }

  @Override
  public long position() {
    return reader.position();
  }

  @Override
  public long hash() {
    return hash;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}

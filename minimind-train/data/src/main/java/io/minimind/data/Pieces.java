package io.minimind.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The rows of a corpus, cut into pieces on one thread; what a piece holds may be found out on any.
 * Processes that cut the same rows get the same pieces, whichever of them they read.
 */
interface Pieces extends Closeable {

  /** How much text a piece has, about: in bytes, or in characters where rows are read to cut. */
  int SIZE = 1 << 16;

  /** Some rows in their order, and those between them that could not be read. */
  record Contents(List<Row> rows, List<SkippedRow> malformed) {

    /** Reads on until there are so many characters or rows, or none are left. */
    static Contents read(RowReader reader, int characters, int most) throws IOException {
      Contents read = new Contents(new ArrayList<>(), new ArrayList<>());
      for (int length = 0; length < characters && read.size() < most; ) {
        try {
          Optional<Row> row = reader.next();
          if (row.isEmpty()) {
            break;
          }
          read.rows.add(row.get());
          length += row.get().cells().stream().mapToInt(String::length).sum();
        } catch (MalformedRowException e) {
          read.malformed.add(e.row());
        }
      }
      return read;
    }

    int size() {
      return rows.size() + malformed.size();
    }
  }

  /** A piece. */
  @FunctionalInterface
  interface Piece {
    Contents read() throws IOException;
  }

  /**
   * Those of some rows.
   *
   * @param columns as in {@link Rows#open}
   */
  static Pieces of(Rows source, List<List<String>> columns) throws IOException {
    RowReader reader = source.open(columns);
    return reader instanceof LineRowReader lines ? lines.pieces(SIZE) : new RowPieces(reader);
  }

  /** The next piece, or nothing at the end. */
  Optional<Piece> next() throws IOException;

  /** As {@link RowReader#position}. */
  long position();

  /** What tells the rows up to here from others. */
  long hash();
}

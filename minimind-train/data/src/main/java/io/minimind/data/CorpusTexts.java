package io.minimind.data;

import io.minimind.files.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The texts of corpus files, one file after the other: never more than one text is held. Of a
 * conversation it is what is said in it, a message in a line. What is wrong with a file is thrown
 * as an {@link UncheckedIOException}.
 */
public final class CorpusTexts implements Iterator<String>, AutoCloseable {

  private static final List<List<String>> COLUMNS =
      Stream.concat(Stream.of(List.of("text")), Conversation.COLUMNS.stream()).toList();

  private final List<Path> all;
  private final Iterator<Path> files;
  private final long bytesTotal;
  private long left;
  private long bytesOfFilesRead;
  private Optional<RowReader> reader = Optional.empty();
  private Path file;
  private Optional<Row> next = Optional.empty();
  private boolean blank = true;

  private CorpusTexts(List<Path> files, long bytesTotal, long most) {
    this.all = List.copyOf(files);
    this.files = all.iterator();
    this.bytesTotal = bytesTotal;
    this.left = most;
  }

  /**
   * @param files CSV with a column {@code text}, JSON lines with a field {@code text}, plain text
   *     with a text in each line, or conversations as for fine-tuning
   * @throws IOException if one of them is missing, empty or of another kind
   */
  public static CorpusTexts open(List<Path> files) throws IOException {
    return open(files, Long.MAX_VALUE);
  }

  /**
   * The first texts of files.
   *
   * @param most at least 1
   */
  public static CorpusTexts open(List<Path> files, long most) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      Rows.of(file).open(COLUMNS).close();
      bytes += Files.size(file);
    }
    return new CorpusTexts(files, bytes, most);
  }

  @Override
  public boolean hasNext() {
    try {
      if (left == 0) {
        return end();
      }
      while (next.isEmpty()) {
        if (reader.isPresent()) {
          next = reader.get().next();
          if (next.isEmpty()) {
            bytesOfFilesRead = bytesRead();
            close();
          }
        } else if (files.hasNext()) {
          file = files.next();
          reader = Optional.of(Rows.of(file).open(COLUMNS));
        } else {
          return end();
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** There is no further text; if there was none, nothing can be learnt. */
  private boolean end() throws InputException {
    if (blank) {
      throw new InputException(
          "There is no text in %s: expected at least one."
              .formatted(all.stream().map(Path::toString).collect(Collectors.joining(", "))));
    }
    return false;
  }

  @Override
  public String next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Row row = next.orElseThrow();
    next = Optional.empty();
    left--;
    try {
      String text = Conversation.isIn(row) ? Conversation.said(row) : row.text(0);
      blank &= text.isBlank();
      return text;
    } catch (IllegalArgumentException e) {
      throw new UncheckedIOException(
          new MalformedRowException(file.toString(), row, e.getMessage()));
    }
  }

  /** Bytes of all files read so far. */
  public long bytesRead() {
    return bytesOfFilesRead + reader.map(RowReader::position).orElse(0L);
  }

  /** Bytes of all files. */
  public long bytesTotal() {
    return bytesTotal;
  }

  @Override
  public void close() throws IOException {
    if (reader.isPresent()) {
      reader.get().close();
      reader = Optional.empty();
    }
  }
}

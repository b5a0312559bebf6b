package io.minimind.data;

import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Makes a corpus of texts, JSON lines with a field {@code text}, of another: rows that are too
 * short, too long, of too little Chinese, or there already are left out. Rows are read and written
 * one after the other; of those written up to 17 numbers are kept.
 *
 * @param fewest characters of a text at least
 * @param most characters of a text at most
 * @param chinese share of Chinese characters at least, 0 to 1
 * @param duplicates what is left out because it is there already
 */
public record CorpusPreparation(int fewest, int most, double chinese, Duplicates duplicates) {

  /** Which rows count as there already. */
  public enum Duplicates {
    /** None. */
    KEEP,
    /** Those with the same text. */
    EXACT,
    /**
     * Those that also share most of their runs of five characters, as MinHash estimates it (Broder
     * 1997): in one of 16 bands of 4 of the smallest hashes they are the same. Texts of which 80 in
     * 100 runs are shared are found nearly always, of 30 in 100 hardly ever.
     */
    SIMILAR;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * @throws IllegalArgumentException if no text can meet the conditions
   */
  public CorpusPreparation {
    if (fewest < 0 || most < Math.max(1, fewest)) {
      throw new ArgumentException(
          "No text has at least %d and at most %d characters.".formatted(fewest, most));
    }
    if (!(chinese >= 0 && chinese <= 1)) {
      throw new ArgumentException(
          "The share of Chinese characters must be between 0 and 1, but is " + chinese + ".");
    }
  }

  /** How many rows were written, and how many left out for which reason. */
  public record Result(long written, Map<String, Long> leftOut) {}

  private static final List<List<String>> COLUMNS = List.of(List.of("text"));
  private static final int RUN = 5;
  private static final int BANDS = 16;
  private static final int ROWS = 4;

  /**
   * Writes the corpus. What is written lies in {@code FILE.partial} until it is complete, and how
   * far that goes in {@code FILE.progress}; a preparation that was killed goes on from there, if
   * rows and conditions are the same, and ends in the same bytes.
   *
   * @param target a {@code .jsonl} file, which takes its name when it is complete
   * @param progress told how much of {@link Rows#size} is read
   * @throws IOException if the rows cannot be read or have no column {@code text}, or the file
   *     cannot be written
   */
  public Result write(Rows corpus, Path target, LongConsumer progress) throws IOException {
    LongSet seen = new LongSet();
    String origin = "%s of %s at %s".formatted(this, corpus.name(), corpus.fingerprint());
    try (RowReader reader = corpus.open(COLUMNS);
        PreparedFile out = PreparedFile.open(target, origin)) {
      out.forEachText(text -> marks(text).forEach(seen::add));
      for (long row = 0; row < out.rows(); row++) {
        skip(reader);
      }
      while (true) {
        Optional<Row> row;
        String text;
        try {
          row = reader.next();
          text = row.isEmpty() ? "" : row.get().text(0).strip();
        } catch (MalformedRowException | IllegalArgumentException e) {
          out.leaveOut("not readable");
          continue;
        }
        if (row.isEmpty()) {
          return out.complete();
        }
        Optional<String> reason = reason(text, seen);
        if (reason.isPresent()) {
          out.leaveOut(reason.get());
        } else {
          out.write(text);
        }
        progress.accept(reader.position());
      }
    }
  }

  private static void skip(RowReader reader) throws IOException {
    try {
      reader.next();
    } catch (MalformedRowException e) {
      // It was counted when it was read first.
    }
  }

  private Optional<String> reason(String text, LongSet seen) {
    int length = text.codePointCount(0, text.length());
    if (length < Math.max(1, fewest)) {
      return Optional.of("too short");
    }
    if (length > most) {
      return Optional.of("too long");
    }
    if (chinese > 0
        && text.codePoints().filter(CorpusStatistics::isChinese).count() < chinese * length) {
      return Optional.of("too little Chinese");
    }
    List<Long> marks = marks(text);
    if (marks.stream().anyMatch(seen::contains)) {
      return Optional.of("there already");
    }
    marks.forEach(seen::add);
    return Optional.empty();
  }

  /** What a text has in common with those that count as the same. */
  private List<Long> marks(String text) {
    if (duplicates == Duplicates.KEEP) {
      return List.of();
    }
    List<Long> marks = new ArrayList<>(List.of(CorpusStatistics.hash(text)));
    if (duplicates == Duplicates.SIMILAR && text.length() > RUN) {
      long[] smallest = new long[BANDS * ROWS];
      Arrays.fill(smallest, Long.MAX_VALUE);
      for (int start = 0; start + RUN <= text.length(); start++) {
        long run = CorpusStatistics.hash(text.substring(start, start + RUN));
        for (int i = 0; i < smallest.length; i++) {
          smallest[i] = Math.min(smallest[i], mixed(run + i * 0x9E3779B97F4A7C15L));
        }
      }
      for (int band = 0; band < BANDS; band++) {
        long mark = band;
        for (int i = 0; i < ROWS; i++) {
          mark = mixed(mark ^ smallest[band * ROWS + i]);
        }
        marks.add(mark);
      }
    }
    return marks;
  }

  /** One of many hash functions of a number (Stafford's variant 13). */
  private static long mixed(long value) {
    long mixed = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
    return mixed ^ mixed >>> 31;
  }
}

package io.minimind.data;

import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * What is in a corpus of any kind: how many rows, of which columns, how long, in which writing, how
 * many of them twice, and what is wrong with some. Rows are read one after the other; what is kept
 * of each are a few numbers.
 */
public final class CorpusStatistics {

  private static final int PROBLEMS = 10;

  /** The sets of columns that some task of this project reads. */
  private static final List<List<String>> COLUMNS =
      Stream.of(
              List.of(
                  List.of("prompt", "chosen", "rejected"),
                  List.of("chosen", "rejected"),
                  List.of("text")),
              Conversation.COLUMNS)
          .flatMap(List::stream)
          .toList();

  private final Map<List<String>, Long> kinds = new TreeMap<>(new ByNames());
  private final Numbers lengths = new Numbers();
  private final Numbers tokens = new Numbers();
  private final Numbers hashes = new Numbers();
  private final List<SkippedRow> problems = new ArrayList<>();
  private long rows;
  private long broken;
  private long blank;
  private long chinese;
  private long latin;
  private long characters;

  /** Lists by what they hold. */
  private static final class ByNames implements Comparator<List<String>> {
    @Override
    public int compare(List<String> one, List<String> other) {
      return one.toString().compareTo(other.toString());
    }
  }

  private CorpusStatistics() {}

  /**
   * Reads a corpus.
   *
   * @param tokenizer counts tokens, if there is one
   * @param progress told how much of {@link Rows#size} is read
   * @throws IOException if the rows cannot be read, or have none of the columns that are known
   */
  public static CorpusStatistics of(
      Rows corpus, Optional<Tokenizer> tokenizer, LongConsumer progress) throws IOException {
    CorpusStatistics statistics = new CorpusStatistics();
    try (RowReader reader = corpus.open(COLUMNS)) {
      boolean more = true;
      while (more) {
        try {
          Optional<Row> row = reader.next();
          more = row.isPresent();
          row.ifPresent(one -> statistics.add(one, tokenizer));
        } catch (MalformedRowException e) {
          statistics.problem(e.row());
        }
        progress.accept(reader.position());
      }
    }
    return statistics;
  }

  private void problem(SkippedRow row) {
    broken++;
    if (problems.size() < PROBLEMS) {
      problems.add(row);
    }
  }

  private void add(Row row, Optional<Tokenizer> tokenizer) {
    rows++;
    kinds.merge(row.columns().isEmpty() ? List.of("text") : row.columns(), 1L, Long::sum);
    String text = String.join("\n", row.cells());
    blank += text.isBlank() ? 1 : 0;
    lengths.add(text.codePointCount(0, text.length()));
    hashes.add(hash(text));
    tokenizer.ifPresent(one -> tokens.add(one.encode(text).length));
    text.codePoints()
        .forEach(
            c -> {
              characters++;
              chinese += isChinese(c) ? 1 : 0;
              latin += Character.UnicodeScript.of(c) == Character.UnicodeScript.LATIN ? 1 : 0;
            });
  }

  /** Whether a character is a Chinese one. */
  static boolean isChinese(int codePoint) {
    return Character.UnicodeScript.of(codePoint) == Character.UnicodeScript.HAN;
  }

  /** 64 bits of a text's bytes; two texts in 2^32 have the same. */
  static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ b & 0xFF) * 0x100000001b3L;
      hash ^= hash >>> 29;
    }
    return hash;
  }

  /** Rows that can be read. */
  public long rows() {
    return rows;
  }

  /** Rows that cannot be read. */
  public long broken() {
    return broken;
  }

  /** Rows without any text. */
  public long blank() {
    return blank;
  }

  /** The first of the rows that cannot be read, a sentence about each. */
  public List<String> problems() {
    return problems.stream().map(SkippedRow::toString).toList();
  }

  /** How many rows have which columns. */
  public Map<List<String>, Long> kinds() {
    return Collections.unmodifiableMap(kinds);
  }

  /** Rows whose text an earlier row has, to the character. */
  public long duplicates() {
    return hashes.repeated();
  }

  /** The length in characters of which so many rows in a hundred are no longer. */
  public long length(int percent) {
    return lengths.percentile(percent);
  }

  /** The same of tokens; 0 without a tokenizer. */
  public long tokens(int percent) {
    return tokens.percentile(percent);
  }

  /** All tokens; 0 without a tokenizer. */
  public long tokens() {
    return tokens.sum();
  }

  /** All characters. */
  public long characters() {
    return characters;
  }

  /** The share of Chinese characters. */
  public double chinese() {
    return characters == 0 ? 0 : (double) chinese / characters;
  }

  /** The share of Latin letters. */
  public double latin() {
    return characters == 0 ? 0 : (double) latin / characters;
  }

  /** Numbers, of which there may be many millions. */
  private static final class Numbers {
    private long[] values = new long[1024];
    private int size;
    private boolean sorted;

    void add(long value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = value;
      sorted = false;
    }

    long percentile(int percent) {
      sort();
      return size == 0 ? 0 : values[(int) Math.min(size - 1L, (long) size * percent / 100)];
    }

    long sum() {
      return Arrays.stream(values, 0, size).sum();
    }

    long repeated() {
      sort();
      long repeated = 0;
      for (int i = 1; i < size; i++) {
        repeated += values[i] == values[i - 1] ? 1 : 0;
      }
      return repeated;
    }

    private void sort() {
      if (!sorted) {
        Arrays.sort(values, 0, size);
        sorted = true;
      }
    }
  }
}

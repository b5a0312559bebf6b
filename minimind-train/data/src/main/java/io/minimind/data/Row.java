package io.minimind.data;

import io.minimind.files.ArgumentException;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One row of a corpus.
 *
 * @param number counted from 1, header and blank lines not counted
 * @param line the line of the file where the row starts, counted from 1; 0 if it is of no file
 * @param cells the values of the columns that were asked for, in that order
 * @param json which of the cells were no texts but other JSON, which they hold; null is an empty
 *     text
 * @param columns what the cells are; empty where the one set of columns leaves no doubt
 */
public record Row(
    long number, long line, List<String> cells, Set<Integer> json, List<String> columns) {

  /** A row of cells of the only set of columns with so many. */
  public Row(long number, long line, List<String> cells, Set<Integer> json) {
    this(number, line, cells, json, List.of());
  }

  /** A row of texts that is of no file; null is an empty text. */
  public static Row of(long number, String... cells) {
    return new Row(number, 0, Stream.of(cells).map(cell -> Objects.toString(cell, "")).toList());
  }

  /** A row of texts. */
  public Row(long number, long line, List<String> cells) {
    this(number, line, cells, Set.of(), List.of());
  }

  /** Which of the cells is that of a column, if the row has it. */
  OptionalInt cell(String column) {
    int cell = columns.indexOf(column);
    return cell < 0 ? OptionalInt.empty() : OptionalInt.of(cell);
  }

  /**
   * The text of a cell.
   *
   * @throws IllegalArgumentException if it holds other JSON; the message says about the row what is
   *     wrong
   */
  public String text(int cell) {
    String text = cells.get(cell);
    if (json.contains(cell)) {
      throw new ArgumentException(
          "it has %s where a text in quotes was expected."
              .formatted(text.length() > 40 ? text.substring(0, 40) + "…" : text));
    }
    return text;
  }
}

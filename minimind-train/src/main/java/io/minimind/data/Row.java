package io.minimind.data;

import java.util.List;
import java.util.Set;

/**
 * One row of a corpus file.
 *
 * @param number counted from 1, header and blank lines not counted
 * @param line the line of the file where the row starts, counted from 1
 * @param cells the values of the columns that were asked for, in that order
 * @param json which of the cells were no texts but JSON lists or objects, whose JSON they hold
 */
public record Row(long number, long line, List<String> cells, Set<Integer> json) {

  /** A row of texts. */
  public Row(long number, long line, List<String> cells) {
    this(number, line, cells, Set.of());
  }
}

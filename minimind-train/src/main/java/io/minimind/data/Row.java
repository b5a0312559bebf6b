package io.minimind.data;

import java.util.List;

/**
 * One row of a corpus file.
 *
 * @param number counted from 1, header and blank lines not counted
 * @param line the line of the file where the row starts, counted from 1
 * @param cells the values of the columns that were asked for, in that order
 */
public record Row(long number, long line, List<String> cells) {}

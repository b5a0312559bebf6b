package io.minimind.data;

import java.util.List;
import java.util.stream.Collectors;

/** Sets of columns, of which rows must have one, as a person is told of them. */
final class ColumnSets {

  private ColumnSets() {}

  /**
   * The names of the columns of each set, such as {@code "text"; or "q", "a"}. A set that another
   * one lies in is left out, since the smaller one is enough.
   */
  static String describe(List<List<String>> sets) {
    return sets.stream()
        .filter(set -> sets.stream().noneMatch(other -> isSmaller(other, set)))
        .map(ColumnSets::quoted)
        .collect(Collectors.joining("; or "));
  }

  private static boolean isSmaller(List<String> one, List<String> other) {
    return one.size() < other.size() && other.containsAll(one);
  }

  /** Names in quotes. */
  static String quoted(List<String> names) {
    return names.stream().map(name -> '"' + name + '"').collect(Collectors.joining(", "));
  }
}

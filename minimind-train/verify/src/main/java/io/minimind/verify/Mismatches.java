package io.minimind.verify;

/** Counts the parts of a case that have to be exact and are not. */
final class Mismatches {

  private int count;
  private String first = "";

  void add(String place, boolean same) {
    if (!same) {
      first = count == 0 ? place : first;
      count++;
    }
  }

  Case as(String name) {
    return new Case.Compared(name, count, 0, first);
  }
}

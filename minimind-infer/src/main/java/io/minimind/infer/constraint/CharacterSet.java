package io.minimind.infer.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A set of characters, as ranges of code points; surrogates, which are no characters, are in none.
 */
final class CharacterSet {
  private static final int END = Character.MAX_CODE_POINT + 1;
  static final CharacterSet NONE = new CharacterSet(new int[0]);
  static final CharacterSet ALL =
      new CharacterSet(new int[] {0, Character.MIN_SURROGATE, Character.MAX_SURROGATE + 1, END});

  /** Where it begins and ends in turn: the first code point of a range, and the one behind it. */
  private final int[] bounds;

  private CharacterSet(int[] bounds) {
    this.bounds = bounds;
  }

  static CharacterSet of(String characters) {
    CharacterSet set = NONE;
    for (int c : characters.codePoints().toArray()) {
      set = set.or(range(c, c));
    }
    return set;
  }

  /** The characters from one to another, both included. */
  static CharacterSet range(int first, int last) {
    return new CharacterSet(new int[] {first, last + 1}).and(ALL);
  }

  /** Of ranges in ascending order that do not overlap: first and last characters in turn. */
  static CharacterSet ofRanges(List<int[]> ranges) {
    int[] bounds = new int[2 * ranges.size()];
    for (int i = 0; i < ranges.size(); i++) {
      bounds[2 * i] = ranges.get(i)[0];
      bounds[2 * i + 1] = ranges.get(i)[1] + 1;
    }
    return new CharacterSet(bounds).and(ALL);
  }

  CharacterSet or(CharacterSet other) {
    return combined(other, true, true, true);
  }

  CharacterSet and(CharacterSet other) {
    return combined(other, false, false, true);
  }

  CharacterSet minus(CharacterSet other) {
    return combined(other, true, false, false);
  }

  CharacterSet complement() {
    return ALL.minus(this);
  }

  /** What is in this one alone, in the other alone, and in both, as asked for. */
  private CharacterSet combined(CharacterSet other, boolean mine, boolean its, boolean common) {
    int[] found = new int[bounds.length + other.bounds.length + 2];
    int size = 0;
    int i = 0;
    int j = 0;
    boolean inside = false;
    while (i < bounds.length || j < other.bounds.length) {
      int at =
          Math.min(
              i < bounds.length ? bounds[i] : Integer.MAX_VALUE,
              j < other.bounds.length ? other.bounds[j] : Integer.MAX_VALUE);
      while (i < bounds.length && bounds[i] == at) {
        i++;
      }
      while (j < other.bounds.length && other.bounds[j] == at) {
        j++;
      }
      boolean in = (i & 1) == 1;
      boolean inOther = (j & 1) == 1;
      boolean now = in && inOther ? common : in ? mine : inOther && its;
      if (now != inside) {
        found[size++] = at;
        inside = now;
      }
    }
    return new CharacterSet(Arrays.copyOf(found, size));
  }

  boolean contains(int codePoint) {
    int at = Arrays.binarySearch(bounds, codePoint);
    return at >= 0 ? (at & 1) == 0 : (-at - 1 & 1) == 1;
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  /** Whether it is one character. */
  boolean isSingle() {
    return bounds.length == 2 && bounds[1] == bounds[0] + 1;
  }

  /** Its lowest code point, if there is one. */
  int first() {
    return bounds[0];
  }

  /** First and last characters of its ranges, in ascending order. */
  List<int[]> ranges() {
    List<int[]> ranges = new ArrayList<>();
    for (int i = 0; i < bounds.length; i += 2) {
      ranges.add(new int[] {bounds[i], bounds[i + 1] - 1});
    }
    return ranges;
  }

  /** Where it begins and ends, in ascending order. */
  int[] bounds() {
    return bounds.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CharacterSet set && Arrays.equals(bounds, set.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }

  @Override
  public String toString() {
    return Arrays.toString(bounds);
  }
}

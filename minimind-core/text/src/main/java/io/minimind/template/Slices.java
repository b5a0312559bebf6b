package io.minimind.template;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** {@code [start:stop:step]} and what it selects. */
final class Slices {

  /** The indices {@code start}, {@code start + step} and so on. */
  record Range(int start, int step, int count) {

    int index(int i) {
      return start + i * step;
    }
  }

  private Slices() {}

  /**
   * @param start, stop, step integers or null
   */
  static Range range(int length, Object start, Object stop, Object step) {
    int by = step == null ? 1 : Numbers.index(step);
    if (by == 0) {
      throw new Failure("the step of a slice is 0");
    }
    int lowest = by > 0 ? 0 : -1;
    int highest = by > 0 ? length : length - 1;
    int from = start == null ? (by > 0 ? lowest : highest) : bound(start, length, lowest, highest);
    int to = stop == null ? (by > 0 ? highest : lowest) : bound(stop, length, lowest, highest);
    return new Range(from, by, count(from, to, by));
  }

  private static int bound(Object value, int length, int lowest, int highest) {
    long bound = Numbers.index(value);
    return (int) Math.max(lowest, Math.min(highest, bound < 0 ? bound + length : bound));
  }

  /** How many numbers there are from one on, before another. */
  static int count(long from, long to, long step) {
    long distance = step > 0 ? to - from : from - to;
    long by = Math.abs(step);
    return (int) Math.min(Integer.MAX_VALUE, distance <= 0 ? 0 : (distance - 1) / by + 1);
  }

  static List<Object> of(List<?> list, Range range) {
    List<Object> slice = new ArrayList<>(range.count());
    for (int i = 0; i < range.count(); i++) {
      slice.add(list.get(range.index(i)));
    }
    return list instanceof Tuple ? new Tuple(slice) : slice;
  }

  /** The numbers of a range as a list that holds none of them. */
  static List<Object> numbers(long start, long step, int count) {
    return new AbstractList<>() {
      @Override
      public Object get(int index) {
        return start + step * Objects.checkIndex(index, count);
      }

      @Override
      public int size() {
        return count;
      }
    };
  }
}

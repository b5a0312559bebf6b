package io.minimind.template;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;

/** A list that prints as Python's tuples do, and cannot be changed. */
final class Tuple extends AbstractList<Object> {

  private final List<?> items;

  Tuple(List<?> items) {
    this.items = items;
  }

  static Tuple of(Object... items) {
    return new Tuple(Arrays.asList(items));
  }

  @Override
  public Object get(int index) {
    return items.get(index);
  }

  @Override
  public int size() {
    return items.size();
  }
}

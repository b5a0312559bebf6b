package io.minimind.infer.constraint;

import java.util.ArrayList;
import java.util.List;

/**
 * Arrays by their items.
 *
 * @param first what the first items must meet, in their order
 * @param rest what all other items must meet
 * @param described whether the schema speaks of the others, so that they are worth writing
 * @param least items
 * @param most items, or {@link Expression#UNBOUNDED}
 * @param distinct whether no two items may be the same
 * @param some what some item must meet, for each of these
 * @param none arrays that are excluded
 */
record ArraySet(
    List<Goal> first,
    Goal rest,
    boolean described,
    int least,
    int most,
    boolean distinct,
    List<Goal> some,
    List<ArraySet> none) {
  static final ArraySet ALL =
      new ArraySet(
          List.of(), Goal.ANYTHING, false, 0, Expression.UNBOUNDED, false, List.of(), List.of());

  /** What an item must meet. */
  Goal item(int index) {
    return index < first.size() ? first.get(index) : rest;
  }

  ArraySet and(ArraySet other) {
    List<Goal> items = new ArrayList<>();
    for (int i = 0; i < Math.max(first.size(), other.first.size()); i++) {
      items.add(item(i).and(other.item(i)));
    }
    return new ArraySet(
        items,
        rest.and(other.rest),
        described || other.described,
        Math.max(least, other.least),
        Math.min(most, other.most),
        distinct || other.distinct,
        joined(some, other.some),
        joined(none, other.none));
  }

  private static <T> List<T> joined(List<T> one, List<T> other) {
    List<T> joined = new ArrayList<>(one);
    other.stream().filter(part -> !one.contains(part)).forEach(joined::add);
    return joined;
  }

  ArraySet without(List<ArraySet> excluded) {
    return new ArraySet(first, rest, described, least, most, distinct, some, excluded);
  }

  ArraySet withCounts(int fewest, int greatest) {
    return new ArraySet(first, rest, described, fewest, greatest, distinct, some, none);
  }

  ArraySet withSome(Goal item) {
    return new ArraySet(
        first, rest, described, least, most, distinct, joined(some, List.of(item)), none);
  }

  /** With an item that must be there. */
  ArraySet with(int index, Goal item) {
    List<Goal> items = new ArrayList<>(first);
    while (items.size() <= index) {
      items.add(rest);
    }
    items.set(index, item);
    return new ArraySet(
        items, rest, described, Math.max(least, index + 1), most, distinct, some, none);
  }
}

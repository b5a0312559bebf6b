package io.minimind.infer.constraint;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Predicate;

/**
 * A set of JSON values, by their type: all that one of the parts has.
 *
 * @param constants of null, true and false those that belong to it
 * @param spoken the types of which something was said, and which therefore are worth writing
 */
record Shape(
    Set<Constant> constants,
    List<NumberSet> numbers,
    List<StringSet> strings,
    List<ArraySet> arrays,
    List<ObjectSet> objects,
    Set<Type> spoken) {
  /** Parts that are told apart. */
  private static final int MOST_PARTS = 1_000;

  enum Type {
    NULL,
    BOOLEAN,
    NUMBER,
    STRING,
    ARRAY,
    OBJECT
  }

  enum Constant {
    NULL,
    TRUE,
    FALSE
  }

  static final Shape ALL =
      new Shape(
          EnumSet.allOf(Constant.class),
          List.of(NumberSet.ALL),
          List.of(StringSet.ALL),
          List.of(ArraySet.ALL),
          List.of(ObjectSet.ALL),
          Set.of());
  static final Shape NONE =
      new Shape(Set.of(), List.of(), List.of(), List.of(), List.of(), Set.of());

  static Shape ofConstants(Set<Constant> constants) {
    return new Shape(constants, List.of(), List.of(), List.of(), List.of(), Set.of());
  }

  static Shape ofNumbers(NumberSet... numbers) {
    return new Shape(Set.of(), List.of(numbers), List.of(), List.of(), List.of(), Set.of());
  }

  static Shape ofStrings(StringSet... strings) {
    return new Shape(Set.of(), List.of(), List.of(strings), List.of(), List.of(), Set.of());
  }

  static Shape ofArrays(ArraySet... arrays) {
    return new Shape(Set.of(), List.of(), List.of(), List.of(arrays), List.of(), Set.of());
  }

  static Shape ofObjects(ObjectSet... objects) {
    return new Shape(Set.of(), List.of(), List.of(), List.of(), List.of(objects), Set.of());
  }

  Shape speakingOf(Set<Type> types) {
    return new Shape(constants, numbers, strings, arrays, objects, types);
  }

  /** What belongs to both. */
  Shape and(Shape other) {
    if (this == ALL || other == NONE) {
      return other;
    }
    if (other == ALL || this == NONE) {
      return this;
    }
    Set<Constant> both = EnumSet.noneOf(Constant.class);
    both.addAll(constants);
    both.retainAll(other.constants);
    return new Shape(
        both,
        products(numbers, other.numbers, NumberSet::and, NumberSet::isEmpty),
        products(strings, other.strings, StringSet::and, set -> set.least() > set.most()),
        products(arrays, other.arrays, ArraySet::and, set -> set.least() > set.most()),
        products(objects, other.objects, ObjectSet::and, set -> set.least() > set.most()),
        union(spoken, other.spoken));
  }

  /** What belongs to one of them. */
  Shape or(Shape other) {
    if (this == NONE) {
      return other;
    }
    return new Shape(
        union(constants, other.constants),
        sums(numbers, other.numbers),
        sums(strings, other.strings),
        sums(arrays, other.arrays),
        sums(objects, other.objects),
        union(spoken, other.spoken));
  }

  /**
   * What does not belong to it.
   *
   * @throws UnsupportedOperationException if that cannot be told
   */
  Shape not() {
    Set<Constant> others = EnumSet.allOf(Constant.class);
    others.removeAll(constants);
    List<NumberSet> otherNumbers = List.of(NumberSet.ALL);
    for (NumberSet set : numbers) {
      otherNumbers = products(otherNumbers, set.not(), NumberSet::and, NumberSet::isEmpty);
    }
    List<StringSet> otherStrings = List.of(StringSet.ALL);
    for (StringSet set : strings) {
      otherStrings = products(otherStrings, set.not(), StringSet::and, s -> s.least() > s.most());
    }
    return new Shape(
        others,
        otherNumbers,
        otherStrings,
        arrays.contains(ArraySet.ALL) ? List.of() : List.of(ArraySet.ALL.without(arrays)),
        objects.contains(ObjectSet.ALL) ? List.of() : List.of(ObjectSet.ALL.without(objects)),
        Set.of());
  }

  private static <T> List<T> products(
      List<T> ones, List<T> others, BinaryOperator<T> and, Predicate<T> isEmpty) {
    List<T> products = new ArrayList<>();
    for (T one : ones) {
      for (T other : others) {
        T product = one.equals(other) ? one : and.apply(one, other);
        if (!isEmpty.test(product)) {
          products.add(product);
        }
        checkSize(products);
      }
    }
    return products;
  }

  private static <T> List<T> sums(List<T> ones, List<T> others) {
    List<T> sum = new ArrayList<>(ones);
    others.stream().filter(part -> !ones.contains(part)).forEach(sum::add);
    checkSize(sum);
    return sum;
  }

  private static void checkSize(List<?> parts) {
    if (parts.size() > MOST_PARTS) {
      throw new UnsupportedOperationException("can be met in more than " + MOST_PARTS + " ways");
    }
  }

  private static <E extends Enum<E>> Set<E> union(Set<E> one, Set<E> other) {
    if (one.isEmpty()) {
      return other;
    }
    Set<E> union = EnumSet.copyOf(one);
    union.addAll(other);
    return union;
  }
}

package io.minimind.infer.constraint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Objects by their properties.
 *
 * @param properties what the values of named properties must meet, in their order
 * @param others what the values of other properties must meet; each key belongs to one of these
 * @param required names of properties that must be there
 * @param least properties
 * @param most properties, or {@link Expression#UNBOUNDED}
 * @param some for each of these a property without a name that must be there
 * @param none objects that are excluded
 */
record ObjectSet(
    Map<String, Goal> properties,
    List<Others> others,
    Set<String> required,
    int least,
    int most,
    List<Others> some,
    List<ObjectSet> none) {
  private static final int MOST_OTHERS = 64;

  static final ObjectSet ALL =
      new ObjectSet(
          Map.of(),
          List.of(new Others(StringSet.ALL, Goal.ANYTHING, false)),
          Set.of(),
          0,
          Expression.UNBOUNDED,
          List.of(),
          List.of());

  /**
   * Properties that have no name.
   *
   * @param described whether the schema speaks of them, so that they are worth writing
   */
  record Others(StringSet keys, Goal value, boolean described) {}

  /** What the value of a property must meet. */
  Goal value(String name) {
    Goal known = properties.get(name);
    if (known != null) {
      return known;
    }
    for (Others other : others) {
      if (other.keys().contains(name)) {
        return other.value();
      }
    }
    return Goal.NOTHING; // a key of which it is not certain where it belongs
  }

  /**
   * @throws UnsupportedOperationException if there would be too many kinds of keys
   */
  ObjectSet and(ObjectSet other) {
    Map<String, Goal> all = new LinkedHashMap<>();
    Set<String> names = new LinkedHashSet<>(properties.keySet());
    names.addAll(other.properties.keySet());
    names.forEach(name -> all.put(name, value(name).and(other.value(name))));
    List<Others> rest = new ArrayList<>();
    for (Others one : others) {
      for (Others two : other.others) {
        StringSet keys = one.keys().and(two.keys());
        if (keys.in().stream().noneMatch(keys.out()::contains)) {
          rest.add(
              new Others(keys, one.value().and(two.value()), one.described() || two.described()));
        }
      }
    }
    if (rest.size() > MOST_OTHERS) {
      throw new UnsupportedOperationException("tells too many kinds of keys apart");
    }
    Set<String> needed = new LinkedHashSet<>(required);
    needed.addAll(other.required);
    List<Others> wanted = new ArrayList<>(some);
    other.some.stream().filter(one -> !some.contains(one)).forEach(wanted::add);
    List<ObjectSet> excluded = new ArrayList<>(none);
    other.none.stream().filter(one -> !none.contains(one)).forEach(excluded::add);
    return new ObjectSet(
        all,
        rest,
        needed,
        Math.max(least, other.least),
        Math.min(most, other.most),
        wanted,
        excluded);
  }

  ObjectSet without(List<ObjectSet> excluded) {
    return new ObjectSet(properties, others, required, least, most, some, excluded);
  }

  ObjectSet withCounts(int fewest, int greatest) {
    return new ObjectSet(properties, others, required, fewest, greatest, some, none);
  }

  /** The same with a property that must be there, or must not be if nothing may be its value. */
  ObjectSet with(String name, Goal value) {
    Map<String, Goal> all = new LinkedHashMap<>(properties);
    all.put(name, value);
    Set<String> needed = new LinkedHashSet<>(required);
    if (!value.impossible()) {
      needed.add(name);
    }
    return new ObjectSet(all, others, needed, least, most, some, none);
  }

  /**
   * The same with a property that must be there.
   *
   * @param names it has none of these
   */
  ObjectSet withSome(Others other, Set<String> names) {
    Map<String, Goal> all = new LinkedHashMap<>(properties);
    names.forEach(name -> all.computeIfAbsent(name, this::value));
    // Where nothing has a name, all that is possible is worth writing.
    List<Others> rest =
        isNamed()
            ? others
            : others.stream().map(o -> new Others(o.keys(), o.value(), true)).toList();
    List<Others> wanted = new ArrayList<>(some);
    wanted.add(other);
    return new ObjectSet(all, rest, required, least, most, wanted, none);
  }

  /** Whether it has a property with a name. */
  boolean isNamed() {
    return properties.values().stream().anyMatch(value -> !value.impossible());
  }

  /** All objects with such a property, or without it if nothing may be its value. */
  static ObjectSet having(String name, Goal value) {
    return ALL.with(name, value);
  }

  /** All objects whose properties have such names. */
  static ObjectSet named(List<StringSet> keys, List<StringSet> otherKeys) {
    List<Others> others = new ArrayList<>();
    keys.forEach(set -> others.add(new Others(set, Goal.ANYTHING, false)));
    otherKeys.forEach(set -> others.add(new Others(set, Goal.NOTHING, false)));
    return new ObjectSet(Map.of(), others, Set.of(), 0, Expression.UNBOUNDED, List.of(), List.of());
  }

  /** The others that may be there and are described, or may be there at all. */
  Optional<List<Others>> possible(boolean describedOnly) {
    List<Others> possible =
        others.stream()
            .filter(other -> !other.value().impossible())
            .filter(other -> other.described() || !describedOnly)
            .toList();
    return possible.isEmpty() ? Optional.empty() : Optional.of(possible);
  }
}

package io.minimind.infer.constraint;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a value must meet.
 *
 * @param all schemas, all of which it meets
 * @param none schemas that it does not meet
 * @param impossible whether nothing meets it
 */
record Goal(Set<Schema> all, Set<Schema> none, boolean impossible) {
  static final Goal ANYTHING = new Goal(Set.of(), Set.of(), false);
  static final Goal NOTHING = new Goal(Set.of(), Set.of(), true);

  static Goal of(Schema schema) {
    return new Goal(Set.of(schema), Set.of(), false);
  }

  /** Where it is set, for messages. */
  String at() {
    Set<Schema> schemas = all.isEmpty() ? none : all;
    return schemas.isEmpty() ? "#" : schemas.iterator().next().at();
  }

  boolean isAnything() {
    return equals(ANYTHING);
  }

  Goal and(Goal other) {
    if (impossible || other.impossible) {
      return NOTHING;
    }
    if (isAnything() || equals(other)) {
      return other;
    }
    if (other.isAnything()) {
      return this;
    }
    Set<Schema> both = union(all, other.all);
    Set<Schema> neither = union(none, other.none);
    return both.stream().anyMatch(neither::contains) ? NOTHING : new Goal(both, neither, false);
  }

  private static Set<Schema> union(Set<Schema> one, Set<Schema> other) {
    Set<Schema> union = new LinkedHashSet<>(one);
    union.addAll(other);
    return union;
  }

  /** The ways not to meet it. */
  List<Goal> not() {
    if (impossible) {
      return List.of(ANYTHING);
    }
    List<Goal> ways = new java.util.ArrayList<>();
    all.forEach(schema -> ways.add(new Goal(Set.of(), Set.of(schema), false)));
    none.forEach(schema -> ways.add(of(schema)));
    return ways;
  }

  /** Whether all that meets it also meets the other, as far as that is plain to see. */
  boolean implies(Goal other) {
    return impossible
        || !other.impossible && all.containsAll(other.all) && none.containsAll(other.none);
  }
}

package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.infer.constraint.ObjectSet.Others;
import io.minimind.infer.constraint.Shape.Constant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Works out which values meet schemas, one level deep: what is below is left as goals. */
final class Shapes {
  private static final int DEEPEST = 100;
  private static final int MOST_WAYS = 500;

  private final SchemaReferences references;
  private final SchemaReader reader;
  private final Map<Schema, Shape> known = new IdentityHashMap<>();
  private final Map<Goal, Shape> knownGoals = new HashMap<>();
  private final Map<Goal, Boolean> empty = new HashMap<>();
  private final Set<Schema> open = new HashSet<>();
  private final Set<Goal> openGoals = new HashSet<>();
  private int depth;

  Shapes(SchemaReferences references) {
    this.references = references;
    reader = new SchemaReader(references);
  }

  /** The values that meet a goal. */
  Shape shape(Goal goal) {
    if (goal.impossible()) {
      return Shape.NONE;
    }
    Shape shape = knownGoals.get(goal);
    if (shape == null) {
      shape = Shape.ALL;
      for (Schema schema : goal.all()) {
        shape = and(schema, shape, shape(schema));
      }
      for (Schema schema : goal.none()) {
        shape = and(schema, shape, not(schema, shape(schema)));
      }
      knownGoals.put(goal, shape);
    }
    return shape;
  }

  private Shape shape(Schema schema) {
    Shape shape = known.get(schema);
    if (shape != null) {
      return shape;
    }
    if (schema.isValue()) {
      return reader.value(schema);
    }
    if (!open.add(schema)) {
      throw SchemaNode.refusal(schema.at(), "leads back to itself without anything in between");
    }
    if (++depth > DEEPEST) {
      throw SchemaNode.refusal(schema.at(), "is nested too deeply");
    }
    shape = supported(schema, () -> read(schema));
    depth--;
    open.remove(schema);
    known.put(schema, shape);
    return shape;
  }

  private Shape read(Schema schema) {
    if (schema.json().isBoolean()) {
      return schema.json().booleanValue() ? Shape.ALL : Shape.NONE;
    }
    if (!(schema.json() instanceof ObjectNode object)) {
      throw SchemaNode.refusal(
          schema.at(),
          "is " + SchemaNode.quoted(schema.json()) + " but must be an object, true or false");
    }
    SchemaNode node = new SchemaNode(object, schema.at());
    if (node.has("$ref") && references.referencesStandAlone()) {
      return shape(references.target(schema, "$ref", node.text("$ref").orElseThrow()));
    }
    Optional<List<StringSet>> keys = node.get("propertyNames").map(json -> keys(schema, node));
    Shape shape = reader.typed(schema, node, keys);
    for (String keyword : List.of("$ref", "$dynamicRef", "$recursiveRef")) {
      if (node.has(keyword)) {
        String reference = node.text(keyword).orElseThrow();
        shape = and(schema, shape, shape(references.target(schema, keyword, reference)));
      }
    }
    Optional<Shape> values = reader.values(schema, node);
    if (values.isPresent()) {
      shape = and(schema, shape, values.get());
    }
    if (node.has("allOf")) {
      for (Shape part : parts(schema, node, "allOf")) {
        shape = and(schema, shape, part);
      }
    }
    if (node.has("anyOf")) {
      Shape any = Shape.NONE;
      for (Shape part : parts(schema, node, "anyOf")) {
        any = any.or(and(schema, shape, part));
      }
      shape = any;
    }
    if (node.has("oneOf")) {
      shape = oneOf(schema, shape, parts(schema, node, "oneOf"));
    }
    if (node.has("not")) {
      Shape excluded = part(schema, node.json().get("not"), node.below("not"));
      shape = disjoint(shape, excluded) ? shape : and(schema, shape, not(schema, excluded));
    }
    if (node.has("if")) {
      shape = conditional(schema, node, shape);
    }
    return dependent(schema, node, shape);
  }

  private Shape part(Schema whole, JsonNode json, String at) {
    return shape(reader.goal(whole, json, at));
  }

  private List<Shape> parts(Schema schema, SchemaNode node, String keyword) {
    List<Shape> parts = new ArrayList<>();
    int index = 0;
    for (JsonNode part : node.list(keyword)) {
      parts.add(part(schema, part, node.below(keyword) + "/" + index++));
    }
    return parts;
  }

  private List<StringSet> keys(Schema schema, SchemaNode node) {
    return part(schema, node.json().get("propertyNames"), node.below("propertyNames")).strings();
  }

  private Shape oneOf(Schema schema, Shape common, List<Shape> options) {
    Shape one = Shape.NONE;
    for (int i = 0; i < options.size(); i++) {
      Shape option = and(schema, common, options.get(i));
      for (int j = 0; j < options.size(); j++) {
        if (i != j && !disjoint(option, options.get(j))) {
          option = and(schema, option, not(schema, options.get(j)));
        }
      }
      one = one.or(option);
    }
    return one;
  }

  private Shape conditional(Schema schema, SchemaNode node, Shape shape) {
    if (!node.has("then") && !node.has("else")) {
      return shape;
    }
    Shape condition = part(schema, node.json().get("if"), node.below("if"));
    Shape met = and(schema, shape, condition);
    Shape unmet = disjoint(shape, condition) ? shape : and(schema, shape, not(schema, condition));
    if (node.has("then")) {
      met = and(schema, met, part(schema, node.json().get("then"), node.below("then")));
    }
    if (node.has("else")) {
      unmet = and(schema, unmet, part(schema, node.json().get("else"), node.below("else")));
    }
    return pruned(met.or(unmet)).speakingOf(shape.spoken());
  }

  /** With what must be met where a property is there. */
  private Shape dependent(Schema schema, SchemaNode node, Shape shape) {
    Shape result = shape;
    for (String keyword : List.of("dependentSchemas", "dependencies")) {
      for (Map.Entry<String, JsonNode> entry : node.object(keyword).properties()) {
        if (!entry.getValue().isArray()) {
          String name = entry.getKey();
          String at = SchemaNode.below(node.below(keyword), name);
          Shape with = Shape.ofObjects(ObjectSet.having(name, Goal.ANYTHING));
          Shape without =
              new Shape(
                  EnumSet.allOf(Constant.class),
                  Shape.ALL.numbers(),
                  Shape.ALL.strings(),
                  Shape.ALL.arrays(),
                  List.of(ObjectSet.having(name, Goal.NOTHING)),
                  Set.of());
          Shape there = and(schema, and(schema, result, with), part(schema, entry.getValue(), at));
          result = and(schema, result, without).or(there).speakingOf(result.spoken());
        }
      }
    }
    return result;
  }

  private Shape and(Schema schema, Shape one, Shape other) {
    return supported(schema, () -> pruned(one.and(other)));
  }

  private Shape not(Schema schema, Shape shape) {
    return supported(schema, shape::not);
  }

  private static <T> T supported(Schema schema, Supplier<T> work) {
    try {
      return work.get();
    } catch (UnsupportedOperationException e) {
      throw SchemaNode.refusal(schema.at(), e.getMessage() + ", which is not supported");
    }
  }

  // What is empty

  /** Without parts that are empty, where there are several. */
  private Shape pruned(Shape shape) {
    return new Shape(
        shape.constants(),
        shape.numbers(),
        shape.strings().size() < 2
            ? shape.strings()
            : shape.strings().stream().filter(set -> !set.isEmpty()).toList(),
        shape.arrays().size() < 2
            ? shape.arrays()
            : shape.arrays().stream().filter(set -> !isPlainlyEmpty(set)).toList(),
        shape.objects().size() < 2
            ? shape.objects()
            : shape.objects().stream().filter(set -> !isPlainlyEmpty(set)).toList(),
        shape.spoken());
  }

  /** Whether nothing meets a goal, as far as that is found out. */
  boolean isEmpty(Goal goal) {
    if (goal.isAnything() || goal.impossible()) {
      return goal.impossible();
    }
    Boolean result = empty.get(goal);
    if (result != null) {
      return result;
    }
    if (openGoals.size() > DEEPEST || !openGoals.add(goal)) {
      return false;
    }
    Shape shape = shape(goal);
    result =
        shape.constants().isEmpty()
            && shape.numbers().stream().allMatch(NumberSet::isEmpty)
            && shape.strings().stream().allMatch(StringSet::isEmpty)
            && shape.arrays().stream().allMatch(this::isEmpty)
            && shape.objects().stream().allMatch(this::isEmpty);
    openGoals.remove(goal);
    empty.put(goal, result);
    return result;
  }

  /** Where the reason is that nothing meets a goal. */
  String emptyPlace(Goal goal) {
    Goal place = goal;
    Set<Goal> seen = new HashSet<>();
    while (seen.add(place)) {
      for (ObjectSet set : shape(place).objects()) {
        for (String name : set.required()) {
          Goal value = set.value(name);
          if (!value.impossible() && isEmpty(value)) {
            place = value;
          }
        }
      }
    }
    return place.at();
  }

  private boolean isEmpty(ObjectSet set) {
    return isPlainlyEmpty(set) || !set.none().isEmpty() && isNone(() -> ways(set));
  }

  private boolean isEmpty(ArraySet set) {
    return isPlainlyEmpty(set) || !set.none().isEmpty() && isNone(() -> ways(set));
  }

  private static boolean isNone(Supplier<List<?>> ways) {
    try {
      return ways.get().isEmpty();
    } catch (UnsupportedOperationException e) {
      return false; // as far as is known
    }
  }

  private boolean isPlainlyEmpty(ObjectSet set) {
    return set.least() > set.most()
        || set.required().size() > set.most()
        || set.required().stream().anyMatch(name -> isEmpty(set.value(name)));
  }

  private boolean isPlainlyEmpty(ArraySet set) {
    int known = Math.min(set.least(), set.first().size() + 1);
    for (int i = 0; i < known; i++) {
      if (isEmpty(set.item(i))) {
        return true;
      }
    }
    return set.least() > set.most() || !set.some().isEmpty() && set.most() == 0;
  }

  private boolean disjoint(Shape one, Shape other) {
    return one.constants().stream().noneMatch(other.constants()::contains)
        && one.numbers().stream()
            .noneMatch(a -> other.numbers().stream().anyMatch(b -> !a.and(b).isEmpty()))
        && one.strings().stream()
            .noneMatch(a -> other.strings().stream().anyMatch(b -> !a.and(b).isEmpty()))
        && one.arrays().stream()
            .noneMatch(a -> other.arrays().stream().anyMatch(b -> !disjoint(a, b)))
        && one.objects().stream()
            .noneMatch(a -> other.objects().stream().anyMatch(b -> !disjoint(a, b)));
  }

  private boolean disjoint(ObjectSet one, ObjectSet other) {
    Set<String> names = new LinkedHashSet<>(one.required());
    names.addAll(other.required());
    return Math.max(one.least(), names.size()) > Math.min(one.most(), other.most())
        || other.least() > one.most()
        || names.stream().anyMatch(name -> isEmpty(one.value(name).and(other.value(name))));
  }

  private boolean disjoint(ArraySet one, ArraySet other) {
    int least = Math.max(one.least(), other.least());
    int known = Math.min(least, Math.max(one.first().size(), other.first().size()) + 1);
    for (int i = 0; i < known; i++) {
      if (isEmpty(one.item(i).and(other.item(i)))) {
        return true;
      }
    }
    return least > Math.min(one.most(), other.most());
  }

  // What is excluded

  /** The same objects as sets that exclude nothing. */
  List<ObjectSet> ways(ObjectSet set) {
    List<ObjectSet> ways = List.of(set.without(List.of()));
    for (ObjectSet excluded : set.none()) {
      List<ObjectSet> next = new ArrayList<>();
      for (ObjectSet way : ways) {
        next.addAll(excluding(way, excluded));
      }
      checkSize(next);
      ways = next;
    }
    return ways;
  }

  private List<ObjectSet> excluding(ObjectSet set, ObjectSet excluded) {
    if (disjoint(set, excluded)) {
      return List.of(set);
    }
    List<ObjectSet> ways = new ArrayList<>();
    for (ObjectSet again : excluded.none()) {
      ways.addAll(ways(set.and(again)));
    }
    for (String name : excluded.required()) {
      if (!set.required().contains(name)) {
        ways.add(set.with(name, Goal.NOTHING));
      }
    }
    Set<String> names = new LinkedHashSet<>(set.properties().keySet());
    names.addAll(excluded.properties().keySet());
    for (String name : names) {
      Goal value = set.value(name);
      for (Goal other : others(value, excluded.value(name))) {
        ways.add(set.with(name, other));
      }
    }
    addWithOthers(set, excluded, ways);
    if (excluded.least() > set.least()) {
      ways.add(set.withCounts(set.least(), Math.min(set.most(), excluded.least() - 1)));
    }
    if (excluded.most() < set.most()) {
      ways.add(set.withCounts(Math.max(set.least(), excluded.most() + 1), set.most()));
    }
    ways.removeIf(this::isPlainlyEmpty);
    return ways;
  }

  /** The ways to meet one goal but not the other. */
  private List<Goal> others(Goal goal, Goal excluded) {
    if (excluded.isAnything() || goal.implies(excluded)) {
      return List.of();
    }
    return excluded.not().stream().map(goal::and).filter(other -> !isEmpty(other)).toList();
  }

  /** Adds the objects that are not excluded because of a property without a name. */
  private void addWithOthers(ObjectSet set, ObjectSet excluded, List<ObjectSet> ways) {
    for (Others mine : set.possible(set.isNamed()).orElse(List.of())) {
      for (Others its : excluded.others()) {
        for (Goal value : others(mine.value(), its.value())) {
          StringSet keys = mine.keys().and(its.keys());
          if (!keys.isEmpty()) {
            Others other = new Others(keys, value, true);
            ways.add(set.withSome(other, excluded.properties().keySet()));
          }
        }
      }
    }
    if (!excluded.some().isEmpty()) {
      throw new UnsupportedOperationException("excludes objects twice over");
    }
  }

  /** The same arrays as sets that exclude nothing. */
  List<ArraySet> ways(ArraySet set) {
    List<ArraySet> ways = List.of(set.without(List.of()));
    for (ArraySet excluded : set.none()) {
      List<ArraySet> next = new ArrayList<>();
      for (ArraySet way : ways) {
        next.addAll(excluding(way, excluded));
      }
      checkSize(next);
      ways = next;
    }
    return ways;
  }

  private List<ArraySet> excluding(ArraySet set, ArraySet excluded) {
    if (disjoint(set, excluded)) {
      return List.of(set);
    }
    List<ArraySet> ways = new ArrayList<>();
    for (ArraySet again : excluded.none()) {
      ways.addAll(ways(set.and(again)));
    }
    if (excluded.least() > set.least()) {
      ways.add(set.withCounts(set.least(), Math.min(set.most(), excluded.least() - 1)));
    }
    if (excluded.most() < set.most()) {
      ways.add(set.withCounts(Math.max(set.least(), excluded.most() + 1), set.most()));
    }
    if (excluded.distinct() && !set.distinct() && set.most() > 1) {
      throw new UnsupportedOperationException("excludes arrays of different items");
    }
    int known = Math.max(set.first().size(), excluded.first().size());
    for (int i = 0; i < Math.min(known, set.most()); i++) {
      for (Goal other : others(set.item(i), excluded.item(i))) {
        ways.add(set.with(i, other));
      }
    }
    if (known < set.most()) {
      List<Goal> others = others(set.rest(), excluded.rest());
      if (!others.isEmpty() && isEmpty(set.rest().and(excluded.rest()))) {
        ways.add(set.withCounts(Math.max(set.least(), known + 1), set.most()));
      } else if (!others.isEmpty() && known > 0) {
        throw new UnsupportedOperationException("excludes arrays because of a later item");
      } else {
        others.forEach(other -> ways.add(set.withSome(other)));
      }
    }
    for (Goal item : excluded.some()) {
      List<Goal> others = item.not();
      if (others.size() != 1) {
        throw new UnsupportedOperationException("excludes arrays that contain something");
      }
      Goal rest = others.get(0);
      ways.add(
          set.and(
              new ArraySet(
                  List.of(), rest, false, 0, Expression.UNBOUNDED, false, List.of(), List.of())));
    }
    ways.removeIf(this::isPlainlyEmpty);
    return ways;
  }

  private static void checkSize(List<?> ways) {
    if (ways.size() > MOST_WAYS) {
      throw new UnsupportedOperationException(
          "excludes something in more than " + MOST_WAYS + " ways");
    }
  }
}

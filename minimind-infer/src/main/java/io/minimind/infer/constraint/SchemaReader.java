package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.NumberRange.Bound;
import io.minimind.infer.constraint.ObjectSet.Others;
import io.minimind.infer.constraint.Shape.Constant;
import io.minimind.infer.constraint.Shape.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads the keywords of a schema that speak of values of one type, and the values it lists. */
final class SchemaReader {
  private static final int MOST_KINDS = 100;
  private static final Set<String> OF_OBJECTS =
      Set.of(
          "properties",
          "required",
          "additionalProperties",
          "patternProperties",
          "propertyNames",
          "minProperties",
          "maxProperties",
          "dependentRequired",
          "dependentSchemas",
          "dependencies");
  private static final Set<String> OF_ARRAYS =
      Set.of(
          "items",
          "prefixItems",
          "additionalItems",
          "minItems",
          "maxItems",
          "uniqueItems",
          "contains");
  private static final Set<String> OF_STRINGS =
      Set.of("minLength", "maxLength", "pattern", "format");
  private static final Set<String> OF_NUMBERS =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

  private final SchemaReferences references;
  private final Map<String, Language> patterns = new HashMap<>();

  SchemaReader(SchemaReferences references) {
    this.references = references;
  }

  /** What a part of a schema asks for. */
  Goal goal(Schema whole, JsonNode json, String at) {
    if (json.isBoolean()) {
      return json.booleanValue() ? Goal.ANYTHING : Goal.NOTHING;
    }
    if (!json.isObject()) {
      throw SchemaNode.refusal(
          at, "is " + SchemaNode.quoted(json) + " but must be an object, true or false");
    }
    return json.isEmpty() ? Goal.ANYTHING : Goal.of(references.part(whole, json, at));
  }

  // Values

  /** A single value. */
  Shape value(Schema schema) {
    JsonNode json = schema.json();
    return switch (json.getNodeType()) {
      case NULL -> Shape.ofConstants(EnumSet.of(Constant.NULL));
      case BOOLEAN ->
          Shape.ofConstants(EnumSet.of(json.booleanValue() ? Constant.TRUE : Constant.FALSE));
      case NUMBER -> Shape.ofNumbers(NumberSet.of(json.decimalValue()));
      case STRING -> Shape.ofStrings(StringSet.of(List.of(json.textValue())));
      case ARRAY -> Shape.ofArrays(array(schema));
      default -> Shape.ofObjects(object(schema));
    };
  }

  private ArraySet array(Schema schema) {
    List<Goal> items = new ArrayList<>();
    schema.json().forEach(item -> items.add(Goal.of(references.value(schema, item))));
    int size = items.size();
    return new ArraySet(items, Goal.NOTHING, true, size, size, false, List.of(), List.of());
  }

  private ObjectSet object(Schema schema) {
    Map<String, Goal> properties = new LinkedHashMap<>();
    schema
        .json()
        .properties()
        .forEach(
            entry ->
                properties.put(
                    entry.getKey(), Goal.of(references.value(schema, entry.getValue()))));
    List<Others> none = List.of(new Others(StringSet.ALL, Goal.NOTHING, true));
    return new ObjectSet(
        properties,
        none,
        new LinkedHashSet<>(properties.keySet()),
        0,
        Expression.UNBOUNDED,
        List.of(),
        List.of());
  }

  /** The values that a schema lists, if it does. */
  Optional<Shape> values(Schema schema, SchemaNode node) {
    Optional<Shape> listed = Optional.empty();
    if (node.has("enum")) {
      JsonNode values = node.json().get("enum");
      if (!values.isArray()) {
        throw node.refusalOf("enum", "must be an array");
      }
      Shape shape = Shape.NONE;
      List<String> strings = new ArrayList<>();
      for (JsonNode value : values) {
        if (value.isTextual()) {
          strings.add(value.textValue());
        } else {
          shape = shape.or(value(references.value(schema, value)));
        }
      }
      if (!strings.isEmpty()) {
        shape = shape.or(Shape.ofStrings(StringSet.of(strings.stream().distinct().toList())));
      }
      listed = Optional.of(shape);
    }
    if (node.has("const")) {
      Shape constant = value(references.value(schema, node.json().get("const")));
      listed = Optional.of(listed.map(constant::and).orElse(constant));
    }
    return listed;
  }

  // Keywords

  /**
   * What the keywords by type allow.
   *
   * @param keys what a property's name must meet, if that is said
   */
  Shape typed(Schema schema, SchemaNode node, Optional<List<StringSet>> keys) {
    refuseUnsupported(node);
    Set<Type> spoken = EnumSet.noneOf(Type.class);
    boolean whole = false;
    boolean broken = false;
    Set<Type> types = EnumSet.allOf(Type.class);
    if (node.has("type")) {
      types = EnumSet.noneOf(Type.class);
      JsonNode declared = node.json().get("type");
      for (JsonNode type : declared.isArray() ? declared : List.of(declared)) {
        if (type.asText().equals("integer")) {
          whole = true;
          types.add(Type.NUMBER);
        } else {
          Type found = type(node, type);
          broken |= found == Type.NUMBER;
          types.add(found);
        }
      }
      if (node.isTrue("nullable")) {
        types.add(Type.NULL);
      }
      spoken.addAll(types);
    } else {
      addSpoken(node, OF_OBJECTS, Type.OBJECT, spoken);
      addSpoken(node, OF_ARRAYS, Type.ARRAY, spoken);
      addSpoken(node, OF_STRINGS, Type.STRING, spoken);
      addSpoken(node, OF_NUMBERS, Type.NUMBER, spoken);
    }
    Set<Constant> constants = EnumSet.noneOf(Constant.class);
    if (types.contains(Type.NULL)) {
      constants.add(Constant.NULL);
    }
    if (types.contains(Type.BOOLEAN)) {
      constants.addAll(List.of(Constant.TRUE, Constant.FALSE));
    }
    return new Shape(
        constants,
        types.contains(Type.NUMBER) ? List.of(numbers(node, whole && !broken)) : List.of(),
        types.contains(Type.STRING) ? List.of(strings(node)) : List.of(),
        types.contains(Type.ARRAY) ? List.of(arrays(schema, node)) : List.of(),
        types.contains(Type.OBJECT) ? List.of(objects(schema, node, keys)) : List.of(),
        spoken);
  }

  private static void refuseUnsupported(SchemaNode node) {
    for (String keyword :
        List.of("unevaluatedProperties", "unevaluatedItems", "minContains", "maxContains")) {
      if (node.has(keyword) && !node.isTrue(keyword)) {
        throw node.refusalOf(keyword, "uses " + keyword + ", which is not supported");
      }
    }
  }

  private static void addSpoken(
      SchemaNode node, Set<String> keywords, Type type, Set<Type> spoken) {
    if (keywords.stream().anyMatch(node::has)) {
      spoken.add(type);
    }
  }

  private static Type type(SchemaNode node, JsonNode name) {
    for (Type type : Type.values()) {
      if (name.isTextual()
          && type.name().toLowerCase(java.util.Locale.ROOT).equals(name.textValue())) {
        return type;
      }
    }
    throw node.refusalOf(
        "type",
        "names the type "
            + SchemaNode.quoted(name)
            + "; expected null, boolean, integer, number, string, array or object");
  }

  private static NumberSet numbers(SchemaNode node, boolean whole) {
    List<BigDecimal> multiples = new ArrayList<>();
    node.number("multipleOf").ifPresent(multiples::add);
    if (multiples.stream().anyMatch(multiple -> multiple.signum() <= 0)) {
      throw node.refusalOf("multipleOf", "must be above 0");
    }
    return new NumberSet(
        whole ? NumberSet.Kind.WHOLE : NumberSet.Kind.ANY,
        bound(node, "minimum", "exclusiveMinimum", 1),
        bound(node, "maximum", "exclusiveMaximum", -1),
        multiples,
        Optional.empty());
  }

  /**
   * The stricter of an inclusive and an exclusive bound; in draft 4 the second says whether the
   * first is exclusive.
   */
  private static Optional<Bound> bound(
      SchemaNode node, String inclusive, String exclusive, int direction) {
    boolean flag = node.json().path(exclusive).isBoolean();
    boolean excluded = node.isTrue(exclusive);
    Optional<Bound> in = node.number(inclusive).map(value -> new Bound(value, excluded));
    if (flag) {
      return in;
    }
    Optional<Bound> ex = node.number(exclusive).map(value -> new Bound(value, true));
    return NumberSet.stricter(in, ex, direction);
  }

  private StringSet strings(SchemaNode node) {
    StringSet strings =
        StringSet.ALL.withLengths(
            node.count("minLength", 0), node.count("maxLength", Expression.UNBOUNDED));
    Optional<String> pattern = node.text("pattern");
    if (pattern.isPresent()) {
      strings = strings.and(StringSet.of(pattern(pattern.get(), node.below("pattern"))));
    }
    if (node.json().path("format").isTextual()) {
      Optional<Language> format = Formats.language(node.json().path("format").textValue());
      strings = format.isPresent() ? strings.and(StringSet.of(format.get())) : strings;
    }
    return strings;
  }

  private Language pattern(String pattern, String at) {
    Language known = patterns.get(pattern);
    if (known == null) {
      try {
        known =
            new Language(
                "the pattern " + pattern,
                RegexParser.containing(pattern),
                RegexParser.perhapsContaining(pattern));
      } catch (IllegalArgumentException e) {
        throw new ArgumentException("In the schema at %s: %s".formatted(at, e.getMessage()), e);
      }
      patterns.put(pattern, known);
    }
    return known;
  }

  private ArraySet arrays(Schema schema, SchemaNode node) {
    JsonNode items = node.json().path("items");
    String firstKey = items.isArray() ? "items" : "prefixItems";
    String restKey = items.isArray() ? "additionalItems" : "items";
    JsonNode listed = node.json().path(firstKey);
    if (!listed.isMissingNode() && !listed.isArray()) {
      throw node.refusalOf(firstKey, "must be an array of schemas");
    }
    List<Goal> first = new ArrayList<>();
    for (int i = 0; i < listed.size(); i++) {
      first.add(goal(schema, listed.get(i), node.below(firstKey) + "/" + i));
    }
    Goal rest =
        node.get(restKey)
            .map(json -> goal(schema, json, node.below(restKey)))
            .orElse(Goal.ANYTHING);
    List<Goal> some = new ArrayList<>();
    node.get("contains").ifPresent(json -> some.add(goal(schema, json, node.below("contains"))));
    return new ArraySet(
        first,
        rest,
        node.has(restKey),
        node.count("minItems", 0),
        node.count("maxItems", Expression.UNBOUNDED),
        node.isTrue("uniqueItems"),
        some,
        List.of());
  }

  private ObjectSet objects(Schema schema, SchemaNode node, Optional<List<StringSet>> keys) {
    boolean described = node.has("additionalProperties");
    Goal additional =
        node.get("additionalProperties")
            .map(json -> goal(schema, json, node.below("additionalProperties")))
            .orElse(Goal.ANYTHING);
    List<Others> others = new ArrayList<>();
    others.add(new Others(StringSet.ALL, additional, described));
    Map<Language, Goal> byPattern = new LinkedHashMap<>();
    ObjectNode patternProperties = node.object("patternProperties");
    for (Map.Entry<String, JsonNode> entry : patternProperties.properties()) {
      String at = SchemaNode.below(node.below("patternProperties"), entry.getKey());
      Language language = pattern(entry.getKey(), at);
      Goal goal = goal(schema, entry.getValue(), at);
      byPattern.put(language, goal);
      others = split(node, others, language, goal);
    }
    Map<String, Goal> properties = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.object("properties").properties()) {
      String at = SchemaNode.below(node.below("properties"), entry.getKey());
      Goal goal = goal(schema, entry.getValue(), at);
      for (Map.Entry<Language, Goal> pattern : byPattern.entrySet()) {
        if (pattern.getKey().contains(entry.getKey())) {
          goal = goal.and(pattern.getValue());
        }
      }
      properties.put(entry.getKey(), goal);
    }
    ObjectSet objects =
        new ObjectSet(
            properties,
            others,
            node.names("required"),
            node.count("minProperties", 0),
            node.count("maxProperties", Expression.UNBOUNDED),
            List.of(),
            dependencies(node));
    return keys.isEmpty() ? objects : objects.and(named(keys.get()));
  }

  /** Tells the keys of a pattern from those of all before it. */
  private static List<Others> split(
      SchemaNode node, List<Others> others, Language language, Goal goal) {
    List<Others> result = new ArrayList<>();
    StringSet outside = StringSet.of(language).not().get(0);
    for (Others other : others) {
      StringSet inside = other.keys().and(StringSet.of(language));
      // The first are those of no pattern.
      boolean first = other.keys().in().isEmpty();
      if (first || !inside.isEmpty()) {
        result.add(new Others(inside, first ? goal : other.value().and(goal), true));
        result.add(new Others(other.keys().and(outside), other.value(), other.described()));
      } else {
        result.add(other);
      }
    }
    if (result.size() > MOST_KINDS) {
      throw node.refusalOf(
          "patternProperties",
          "tells more than " + MOST_KINDS + " kinds of keys apart, which is not supported");
    }
    return result;
  }

  private static ObjectSet named(List<StringSet> keys) {
    List<StringSet> others = List.of(StringSet.ALL);
    for (StringSet set : keys) {
      List<StringSet> next = new ArrayList<>();
      for (StringSet other : others) {
        set.not().forEach(part -> next.add(other.and(part)));
      }
      others = next;
    }
    return ObjectSet.named(keys, others);
  }

  /** Objects that have a property without those that it needs. */
  private static List<ObjectSet> dependencies(SchemaNode node) {
    List<ObjectSet> none = new ArrayList<>();
    for (String keyword : List.of("dependentRequired", "dependencies")) {
      for (Map.Entry<String, JsonNode> entry : node.object(keyword).properties()) {
        if (entry.getValue().isArray()) {
          String at = SchemaNode.below(node.below(keyword), entry.getKey());
          for (String name : SchemaNode.names(entry.getValue(), at)) {
            none.add(ObjectSet.having(entry.getKey(), Goal.ANYTHING).with(name, Goal.NOTHING));
          }
        }
      }
    }
    return none;
  }
}

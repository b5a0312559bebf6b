package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Follows references within a schema, and makes one schema of several that all must hold. */
final class SchemaMerger {
  private static final int DEEPEST = 100;

  private final JsonNode root;

  SchemaMerger(JsonNode root) {
    this.root = root;
  }

  /** A schema that does not consist of others by {@code $ref} or {@code allOf}. */
  SchemaNode flat(SchemaNode schema) {
    return flat(schema, 0);
  }

  /** The schema for what both allow. */
  SchemaNode merged(SchemaNode schema, JsonNode other) {
    return merged(schema, other, 0);
  }

  /** What a {@code $ref} refers to. */
  JsonNode target(SchemaNode schema) {
    String reference = schema.text("$ref").orElseThrow();
    JsonNode target =
        reference.equals("#")
            ? root
            : reference.startsWith("#/") ? at(reference.substring(1)) : root.path("");
    if (target.isMissingNode()) {
      throw SchemaNode.refusal(
          schema.below("$ref"),
          "refers to \"%s\", which is not there; expected # or a place in this schema such as #/$defs/name"
              .formatted(reference));
    }
    return target;
  }

  private JsonNode at(String pointer) {
    String decoded = pointer.replace("%25", "%").replace("%22", "\"").replace("%20", " ");
    return root.at(decoded);
  }

  private SchemaNode flat(SchemaNode schema, int depth) {
    if (depth > DEEPEST) {
      throw schema.refusal("leads back to itself without anything in between");
    }
    if (!schema.json().has("$ref") && !schema.json().has("allOf")) {
      return schema;
    }
    SchemaNode flat = schema.without("$ref", "allOf");
    if (schema.json().has("$ref")) {
      flat = merged(flat, target(schema), depth + 1);
    }
    JsonNode parts = schema.json().path("allOf");
    if (!parts.isArray() && !parts.isMissingNode()) {
      throw SchemaNode.refusal(schema.below("allOf"), "must be an array of schemas");
    }
    for (JsonNode part : parts) {
      flat = merged(flat, part, depth + 1);
    }
    return flat;
  }

  private SchemaNode merged(SchemaNode schema, JsonNode other, int depth) {
    if (other.isBoolean() && other.booleanValue()) {
      return schema;
    }
    if (!(other instanceof ObjectNode object)) {
      throw schema.refusal("must also meet " + other + ", which allows nothing or is no schema");
    }
    SchemaNode added = flat(new SchemaNode(object, schema.at()), depth);
    if (schema.keywords().isEmpty()) {
      return new SchemaNode(added.json(), schema.at());
    }
    checkIndependent(schema, added, "additionalProperties", "properties");
    checkIndependent(schema, added, "items", "prefixItems");
    SchemaNode result = schema.without();
    for (String key : added.keywords()) {
      JsonNode value = added.json().get(key);
      Optional<JsonNode> present = schema.get(key).filter(found -> !found.equals(value));
      result.json().set(key, present.isEmpty() ? value : both(schema, added, key));
    }
    return result;
  }

  /** Refuses what would mean something else if it stood beside the properties of the other. */
  private static void checkIndependent(
      SchemaNode schema, SchemaNode added, String rest, String known) {
    boolean used = schema.json().has(rest) || added.json().has(rest);
    if (used && !schema.json().path(known).equals(added.json().path(known))) {
      throw schema.refusal(
          "joins schemas of which one has %s and they differ in %s, which is not supported"
              .formatted(rest, known));
    }
  }

  private static JsonNode both(SchemaNode one, SchemaNode two, String key) {
    JsonNode first = one.json().get(key);
    JsonNode second = two.json().get(key);
    switch (key) {
      case "minimum", "exclusiveMinimum", "minLength", "minItems":
        return one.number(key).orElseThrow().max(two.number(key).orElseThrow())
                == one.number(key).orElseThrow()
            ? first
            : second;
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems":
        return one.number(key).orElseThrow().min(two.number(key).orElseThrow())
                == one.number(key).orElseThrow()
            ? first
            : second;
      case "required":
        Set<String> names = one.required();
        names.addAll(two.required());
        return array(one, names);
      case "type":
        return types(one, two);
      case "properties":
        ObjectNode properties = one.json().objectNode().setAll(one.properties());
        two.properties()
            .properties()
            .forEach(
                entry -> {
                  JsonNode known = properties.get(entry.getKey());
                  boolean same = known == null || known.equals(entry.getValue());
                  properties.set(
                      entry.getKey(),
                      same ? entry.getValue() : allOf(one, known, entry.getValue()));
                });
        return properties;
      default:
        throw one.refusal(
            "must meet two different %s, %s and %s, which is not supported"
                .formatted(key, first, second));
    }
  }

  private static ArrayNode array(SchemaNode schema, Set<String> texts) {
    ArrayNode array = schema.json().arrayNode();
    texts.forEach(array::add);
    return array;
  }

  private static JsonNode types(SchemaNode one, SchemaNode two) {
    Set<String> first = one.types();
    Set<String> second = two.types();
    Set<String> common = new HashSet<>(first);
    common.retainAll(second);
    if (first.contains("integer") && second.contains("number")
        || second.contains("integer") && first.contains("number")) {
      common.add("integer");
    }
    if (common.isEmpty()) {
      throw one.refusal("must be of the types %s and %s at once".formatted(first, second));
    }
    return array(one, common);
  }

  private static ObjectNode allOf(SchemaNode schema, JsonNode... parts) {
    ObjectNode both = schema.json().objectNode();
    both.putArray("allOf").addAll(List.of(parts));
    return both;
  }

  /** Whether nothing can meet both schemas, as far as that is easy to see. */
  boolean exclude(SchemaNode one, SchemaNode two) {
    SchemaNode first = flat(one);
    SchemaNode second = flat(two);
    Optional<List<JsonNode>> values = first.values();
    Optional<List<JsonNode>> others = second.values();
    if (values.isPresent() && others.isPresent()) {
      return values.get().stream().noneMatch(value -> contains(others.get(), value));
    }
    if (!overlap(first.possibleTypes(), second.possibleTypes())) {
      return true;
    }
    if (!first.possibleTypes().equals(Set.of("object"))
        || !second.possibleTypes().equals(Set.of("object"))) {
      return false;
    }
    Set<String> names = first.required();
    names.retainAll(second.required());
    return names.stream()
        .anyMatch(
            name ->
                first.properties().get(name) instanceof ObjectNode property
                    && second.properties().get(name) instanceof ObjectNode other
                    && exclude(
                        new SchemaNode(property, one.at()), new SchemaNode(other, two.at())));
  }

  private static boolean contains(List<JsonNode> values, JsonNode value) {
    return values.stream()
        .anyMatch(
            other ->
                other.isNumber() && value.isNumber()
                    ? other.decimalValue().compareTo(value.decimalValue()) == 0
                    : other.equals(value));
  }

  private static boolean overlap(Set<String> types, Set<String> others) {
    return types.stream().anyMatch(others::contains)
        || types.contains("integer") && others.contains("number")
        || types.contains("number") && others.contains("integer");
  }
}

package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A schema that is an object, and where it stands.
 *
 * @param at a JSON pointer that begins with #
 */
record SchemaNode(ObjectNode json, String at) {
  static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly");

  private static final Set<String> GENERAL =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable");

  /** The keywords that speak of values of one type. */
  private static final Map<String, Set<String>> BY_TYPE =
      Map.of(
          "object", Set.of("properties", "required", "additionalProperties"),
          "array", Set.of("items", "prefixItems", "minItems", "maxItems"),
          "string", Set.of("minLength", "maxLength", "pattern", "format"),
          "number", Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"));

  private static final List<String> TYPES =
      List.of("null", "boolean", "number", "string", "array", "object");

  static IllegalArgumentException refusal(String at, String problem) {
    return new ArgumentException("The schema at " + at + " " + problem + ".");
  }

  IllegalArgumentException refusal(String problem) {
    return refusal(at, problem);
  }

  /** What it says under a name, if anything. */
  Optional<JsonNode> get(String key) {
    return Optional.ofNullable(json.get(key));
  }

  /** Where a part of it stands. */
  String below(String key) {
    return below(at, key);
  }

  static String below(String at, String key) {
    return at + "/" + key.replace("~", "~0").replace("/", "~1");
  }

  /** The keywords that are no annotations. */
  Set<String> keywords() {
    Set<String> keywords = new LinkedHashSet<>();
    json.fieldNames().forEachRemaining(keywords::add);
    keywords.removeAll(ANNOTATIONS);
    return keywords;
  }

  /** The same without some keywords. */
  SchemaNode without(String... keys) {
    // The parts stay the same objects, by which the compiler knows them again.
    ObjectNode rest = json.objectNode().setAll(json);
    return new SchemaNode(rest.remove(List.of(keys)), at);
  }

  void checkKeywords() {
    for (String keyword : keywords()) {
      if (!GENERAL.contains(keyword)
          && BY_TYPE.values().stream().noneMatch(keys -> keys.contains(keyword))) {
        throw refusal(below(keyword), "uses " + keyword + ", which is not supported");
      }
    }
  }

  /** The types of the values: as declared, or else those that the keywords speak of, or all. */
  Set<String> types() {
    Set<String> types = new LinkedHashSet<>();
    JsonNode declared = json.path("type");
    if (declared.isMissingNode()) {
      TYPES.stream()
          .filter(
              type -> keywords().stream().anyMatch(BY_TYPE.getOrDefault(type, Set.of())::contains))
          .forEach(types::add);
      return types.isEmpty() ? new LinkedHashSet<>(TYPES) : types;
    }
    for (JsonNode type : declared.isArray() ? declared : List.of(declared)) {
      if (!TYPES.contains(type.asText()) && !type.asText().equals("integer")) {
        throw refusal(
            below("type"),
            "names the type "
                + type
                + "; expected null, boolean, integer, number, string, array or object");
      }
      types.add(type.asText());
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return types;
  }

  /** The types of all values that it allows, whether or not they are generated. */
  Set<String> possibleTypes() {
    Set<String> types = new LinkedHashSet<>();
    if (values().isPresent()) {
      values().get().forEach(value -> types.add(typeOf(value)));
    } else {
      types.addAll(json.has("type") ? types() : TYPES);
    }
    if (json.path("nullable").asBoolean()) {
      types.add("null");
    }
    return types;
  }

  /** The values that it lists, of its types; nothing if it does not list any. */
  Optional<List<JsonNode>> values() {
    Optional<JsonNode> constant = get("const");
    Optional<JsonNode> listed = get("enum");
    if (constant.isEmpty() && listed.isEmpty()) {
      return Optional.empty();
    }
    if (listed.isPresent() && !listed.get().isArray()) {
      throw refusal(below("enum"), "must be an array");
    }
    List<JsonNode> values = new ArrayList<>();
    Set<String> types = json.has("type") ? types() : Set.copyOf(TYPES);
    for (JsonNode value : listed.orElseGet(() -> json.arrayNode().add(constant.get()))) {
      String type = typeOf(value);
      boolean typed =
          types.contains(type)
              || type.equals("number") && types.contains("integer") && isWhole(value);
      if (typed && constant.map(value::equals).orElse(true)) {
        values.add(value);
      }
    }
    return Optional.of(values);
  }

  private static String typeOf(JsonNode value) {
    return switch (value.getNodeType()) {
      case NULL -> "null";
      case BOOLEAN -> "boolean";
      case NUMBER -> "number";
      case STRING -> "string";
      case ARRAY -> "array";
      default -> "object";
    };
  }

  private static boolean isWhole(JsonNode number) {
    return number.decimalValue().stripTrailingZeros().scale() <= 0;
  }

  /** A count that it gives, such as {@code minItems}. */
  int count(String key, int absent) {
    JsonNode value = json.get(key);
    if (value == null) {
      return absent;
    }
    if (!value.isNumber() || !isWhole(value) || !value.canConvertToInt() || value.intValue() < 0) {
      throw refusal(below(key), "is " + value + " but must be a whole number from 0");
    }
    return value.intValue();
  }

  Optional<BigDecimal> number(String key) {
    JsonNode value = json.get(key);
    if (value != null && !value.isNumber()) {
      throw refusal(below(key), "is " + value + " but must be a number");
    }
    return Optional.ofNullable(value).map(JsonNode::decimalValue);
  }

  /** A text that it gives, such as {@code pattern}. */
  Optional<String> text(String key) {
    JsonNode value = json.get(key);
    if (value != null && !value.isTextual()) {
      throw refusal(below(key), "is " + value + " but must be a text");
    }
    return Optional.ofNullable(value).map(JsonNode::textValue);
  }

  /** The names of the properties that must be there. */
  Set<String> required() {
    Set<String> names = new LinkedHashSet<>();
    JsonNode required = json.path("required");
    if (!required.isArray() && !required.isMissingNode()) {
      throw refusal(below("required"), "must be an array of names");
    }
    required.forEach(name -> names.add(name.asText()));
    return names;
  }

  /** The schemas of properties, by name. */
  ObjectNode properties() {
    JsonNode properties = json.path("properties");
    if (properties.isMissingNode()) {
      return json.objectNode();
    }
    if (properties instanceof ObjectNode object) {
      return object;
    }
    throw refusal(below("properties"), "must be an object");
  }
}

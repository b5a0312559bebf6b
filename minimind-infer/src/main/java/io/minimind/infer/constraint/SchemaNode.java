package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * A schema that is an object, and where it stands.
 *
 * @param at a JSON pointer that begins with #
 */
record SchemaNode(ObjectNode json, String at) {
  private static final int LONGEST_QUOTE = 80;

  static IllegalArgumentException refusal(String at, String problem) {
    return new ArgumentException("The schema at " + at + " " + problem + ".");
  }

  /** As a message quotes it. */
  static String quoted(JsonNode json) {
    if (json.isContainerNode()) {
      return json.isArray() ? "an array" : "an object";
    }
    String text = json.toString();
    return text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "...";
  }

  /** That what a keyword says is wrong or not supported. */
  IllegalArgumentException refusalOf(String keyword, String problem) {
    return refusal(below(keyword), problem);
  }

  boolean has(String key) {
    return json.has(key);
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

  /**
   * A count that it gives, such as {@code minItems}; a most that no text reaches is the largest.
   */
  int count(String key, int absent) {
    JsonNode value = json.get(key);
    if (value == null) {
      return absent;
    }
    if (!value.isNumber() || !isWhole(value) || value.decimalValue().signum() < 0) {
      throw refusalOf(key, "is " + quoted(value) + " but must be a whole number from 0");
    }
    if (value.canConvertToInt()) {
      return value.intValue();
    }
    if (key.startsWith("min")) {
      throw refusalOf(key, "is " + quoted(value) + ", which no text reaches");
    }
    return Integer.MAX_VALUE;
  }

  private static boolean isWhole(JsonNode number) {
    return number.isIntegralNumber() || number.decimalValue().stripTrailingZeros().scale() <= 0;
  }

  Optional<BigDecimal> number(String key) {
    JsonNode value = json.get(key);
    if (value != null && !value.isNumber()) {
      throw refusalOf(key, "is " + quoted(value) + " but must be a number");
    }
    return Optional.ofNullable(value).map(JsonNode::decimalValue);
  }

  /** A text that it gives, such as {@code pattern}. */
  Optional<String> text(String key) {
    JsonNode value = json.get(key);
    if (value != null && !value.isTextual()) {
      throw refusalOf(key, "is " + quoted(value) + " but must be a text");
    }
    return Optional.ofNullable(value).map(JsonNode::textValue);
  }

  boolean isTrue(String key) {
    return json.path(key).isBoolean() && json.path(key).booleanValue();
  }

  /** The names of properties that it lists, such as those that must be there. */
  Set<String> names(String key) {
    return names(json.path(key), below(key));
  }

  static Set<String> names(JsonNode list, String at) {
    Set<String> names = new LinkedHashSet<>();
    if (!list.isArray() && !list.isMissingNode()) {
      throw refusal(at, "must be an array of names");
    }
    for (JsonNode name : list) {
      if (!name.isTextual()) {
        throw refusal(at, "must be an array of names");
      }
      names.add(name.textValue());
    }
    return names;
  }

  /** The schemas by name under a keyword, such as those of properties. */
  ObjectNode object(String key) {
    JsonNode found = json.path(key);
    if (found.isMissingNode()) {
      return json.objectNode();
    }
    if (found instanceof ObjectNode object) {
      return object;
    }
    throw refusalOf(key, "must be an object");
  }

  /** The schemas in a list under a keyword, such as {@code anyOf}. */
  Iterable<JsonNode> list(String key) {
    JsonNode found = json.path(key);
    if (!found.isArray() || found.isEmpty()) {
      throw refusalOf(key, "must be an array of schemas");
    }
    return found;
  }
}

package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A schema, or a value that a schema lists. Each is one object, so that they are compared by
 * identity.
 */
final class Schema {
  private final JsonNode json;
  private final boolean value;
  private final String at;
  private final JsonNode base;

  /**
   * @param value whether the JSON is not a schema but the only value that is allowed
   * @param at where it stands, as a JSON pointer that begins with #
   * @param base the schema with an identifier of its own in which it stands
   */
  Schema(JsonNode json, boolean value, String at, JsonNode base) {
    this.json = json;
    this.value = value;
    this.at = at;
    this.base = base;
  }

  JsonNode json() {
    return json;
  }

  boolean isValue() {
    return value;
  }

  String at() {
    return at;
  }

  JsonNode base() {
    return base;
  }

  @Override
  public String toString() {
    return at;
  }
}

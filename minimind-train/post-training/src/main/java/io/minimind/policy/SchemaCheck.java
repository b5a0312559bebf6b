package io.minimind.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaException;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import io.minimind.files.ArgumentException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** Whether a text is JSON that meets a schema. */
final class SchemaCheck {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final JsonSchemaFactory FACTORY =
      JsonSchemaFactory.getInstance(VersionFlag.V202012);

  /** Rows mostly share a few schemas. */
  private static final ConcurrentMap<JsonNode, JsonSchema> COMPILED = new ConcurrentHashMap<>();

  private static final int MOST_COMPILED = 1000;

  private SchemaCheck() {}

  /**
   * @param schema an object, or a text that holds one
   * @throws IllegalArgumentException if it is none
   */
  static boolean accepts(JsonNode schema, String text) {
    JsonSchema compiled = compiled(schema);
    try {
      JsonNode value = JSON.readTree(text);
      return !value.isMissingNode() && compiled.validate(value).isEmpty();
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private static JsonSchema compiled(JsonNode schema) {
    if (COMPILED.size() > MOST_COMPILED) {
      COMPILED.clear();
    }
    return COMPILED.computeIfAbsent(schema, SchemaCheck::compile);
  }

  private static JsonSchema compile(JsonNode schema) {
    try {
      JsonNode object = schema.isTextual() ? JSON.readTree(schema.asText()) : schema;
      if (object.isObject()) {
        return FACTORY.getSchema(object);
      }
    } catch (JsonProcessingException | JsonSchemaException e) {
      throw new ArgumentException("the row expects a JSON schema, and has %s".formatted(schema), e);
    }
    throw new ArgumentException("the row expects a JSON schema, and has %s".formatted(schema));
  }
}

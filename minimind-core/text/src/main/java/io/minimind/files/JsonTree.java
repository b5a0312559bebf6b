package io.minimind.files;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;

/**
 * JSON as a tree, read without a mapper: what a mapper prepares for objects of all kinds takes
 * longer than the files of a model, when a process has just begun.
 */
public final class JsonTree {

  private static final JsonFactory LENIENT = new JsonFactory();

  private static final JsonFactory STRICT =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private JsonTree() {}

  /**
   * Reads JSON that says one thing, as {@link StrictJson} does.
   *
   * @return missing if there is nothing
   * @throws com.fasterxml.jackson.core.JsonProcessingException if it is no JSON
   */
  public static JsonNode read(byte[] json) throws IOException {
    try (JsonParser parser = STRICT.createParser(json)) {
      return all(parser);
    }
  }

  /** The same of a file. */
  public static JsonNode read(File file) throws IOException {
    try (JsonParser parser = STRICT.createParser(file)) {
      return all(parser);
    }
  }

  /**
   * Reads the value that JSON begins with. Of names that stand twice in an object the last counts.
   *
   * @return missing if there is nothing
   * @throws com.fasterxml.jackson.core.JsonProcessingException if it is no JSON
   */
  public static JsonNode readFirst(byte[] json) throws IOException {
    try (JsonParser parser = LENIENT.createParser(json)) {
      return first(parser);
    }
  }

  private static JsonNode all(JsonParser parser) throws IOException {
    JsonNode tree = first(parser);
    if (parser.nextToken() != null) {
      throw new JsonParseException(
          parser, "Trailing token found after value", parser.currentTokenLocation());
    }
    return tree;
  }

  private static JsonNode first(JsonParser parser) throws IOException {
    JsonToken token = parser.nextToken();
    return token == null ? MissingNode.getInstance() : value(parser, token);
  }

  /** A value whose first token was read; the parser limits how deep they lie in one another. */
  private static JsonNode value(JsonParser parser, JsonToken token) throws IOException {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    return switch (token) {
      case START_OBJECT -> {
        ObjectNode object = nodes.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          object.set(name, value(parser, parser.nextToken()));
        }
        yield object;
      }
      case START_ARRAY -> {
        ArrayNode array = nodes.arrayNode();
        for (JsonToken next = parser.nextToken();
            next != JsonToken.END_ARRAY;
            next = parser.nextToken()) {
          array.add(value(parser, next));
        }
        yield array;
      }
      case VALUE_STRING -> nodes.textNode(parser.getText());
      case VALUE_NUMBER_INT ->
          switch (parser.getNumberType()) {
            case INT -> nodes.numberNode(parser.getIntValue());
            case LONG -> nodes.numberNode(parser.getLongValue());
            default -> nodes.numberNode(parser.getBigIntegerValue());
          };
      case VALUE_NUMBER_FLOAT -> nodes.numberNode(parser.getDoubleValue());
      case VALUE_TRUE -> nodes.booleanNode(true);
      case VALUE_FALSE -> nodes.booleanNode(false);
      case VALUE_NULL -> nodes.nullNode();
      default -> throw new JsonParseException(parser, "Unexpected token " + token);
    };
  }
}

package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.SplittableRandom;

/** Schemas that can be met, of all that is supported. */
final class RandomSchema {
  private final SplittableRandom random;

  private RandomSchema(SplittableRandom random) {
    this.random = random;
  }

  static JsonNode of(SplittableRandom random) {
    RandomSchema schemas = new RandomSchema(random);
    ObjectNode root = schemas.schema(3);
    ObjectNode shared = root.putObject("$defs");
    shared.set("leaf", schemas.schema(0));
    shared.set("list", schemas.object().put("type", "array").set("items", schemas.recursive()));
    return root;
  }

  private ObjectNode object() {
    return Structured.JSON.createObjectNode();
  }

  private ObjectNode recursive() {
    ObjectNode schema = object();
    schema.putArray("anyOf").add(reference("leaf")).add(reference("list"));
    return schema;
  }

  private ObjectNode reference(String name) {
    return object().put("$ref", "#/$defs/" + name);
  }

  private ObjectNode schema(int depth) {
    return switch (random.nextInt(depth == 0 ? 6 : 11)) {
      case 0 -> integer();
      case 1 -> number();
      case 2 -> string();
      case 3 -> pattern();
      case 4 -> values();
      case 5 -> object().put("type", random.nextBoolean() ? "null" : "boolean");
      case 6 -> array(depth);
      case 7 -> union(depth);
      case 8 -> reference(random.nextBoolean() ? "leaf" : "list");
      default -> members(depth);
    };
  }

  private ObjectNode integer() {
    ObjectNode schema = object().put("type", "integer");
    int low = random.nextInt(-2000, 2000);
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
    }
    if (random.nextBoolean()) {
      schema.put("maximum", low + random.nextInt(1, 300));
    }
    return schema;
  }

  private ObjectNode number() {
    ObjectNode schema = object().put("type", "number");
    int low = random.nextInt(-2000, 2000);
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low / 100.0);
    }
    if (random.nextBoolean()) {
      schema.put(
          random.nextBoolean() ? "maximum" : "exclusiveMaximum",
          (low + random.nextInt(2, 300)) / 100.0);
    }
    return schema;
  }

  private ObjectNode string() {
    ObjectNode schema = object().put("type", "string");
    int least = random.nextInt(4);
    if (random.nextBoolean()) {
      schema.put("minLength", least);
    }
    if (random.nextBoolean()) {
      schema.put("maxLength", least + random.nextInt(5));
    }
    return schema;
  }

  private ObjectNode pattern() {
    String[] patterns = {"^a*$", "^(ab|c)+$", "x", "^[^\"a-y]{2,}$", "(é|蓝)$", "^\\S+@\\S+$"};
    ObjectNode schema = object().put("type", "string");
    schema.put("pattern", patterns[random.nextInt(patterns.length)]);
    if (random.nextBoolean()) {
      schema.put("minLength", random.nextInt(4)).put("maxLength", random.nextInt(4, 9));
    }
    return schema;
  }

  private ObjectNode values() {
    ObjectNode schema = object();
    ArrayNode values = schema.putArray("enum");
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      switch (random.nextInt(4)) {
        case 0 -> values.add(random.nextInt());
        case 1 -> values.add("word \" " + i);
        case 2 -> values.addNull();
        default -> values.addArray().add(i).addObject().put("x", 0.5);
      }
    }
    return schema;
  }

  private ObjectNode array(int depth) {
    ObjectNode schema = object().put("type", "array");
    int least = random.nextInt(4);
    if (random.nextBoolean()) {
      schema.put("minItems", least);
    }
    if (random.nextBoolean()) {
      schema.put("maxItems", least + random.nextInt(3));
    }
    if (random.nextBoolean()) {
      schema.set("items", schema(depth - 1));
    }
    if (random.nextBoolean()) {
      ArrayNode first = schema.putArray("prefixItems");
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        first.add(schema(depth - 1));
      }
    }
    return schema;
  }

  private ObjectNode union(int depth) {
    ObjectNode schema = object();
    if (random.nextBoolean()) {
      schema.putArray("anyOf").add(schema(depth - 1)).add(schema(depth - 1));
    } else {
      schema.putArray("oneOf").add(integer()).add(string()).add(array(depth - 1));
    }
    return schema;
  }

  private ObjectNode members(int depth) {
    ObjectNode schema = object().put("type", "object");
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = schema.putArray("required");
    for (int i = random.nextInt(4); i > 0; i--) {
      String name = (random.nextBoolean() ? "a" : "ab\"蓝/") + i;
      properties.set(name, schema(depth - 1));
      if (random.nextBoolean()) {
        required.add(name);
      }
    }
    switch (random.nextInt(4)) {
      case 0 -> schema.put("additionalProperties", false);
      case 1 -> schema.set("additionalProperties", schema(depth - 1));
      case 2 -> {
        ObjectNode more = schema.putArray("allOf").addObject();
        more.putObject("properties").set("more", schema(depth - 1));
        more.putArray("required").add("more");
      }
      default -> {}
    }
    return schema;
  }
}

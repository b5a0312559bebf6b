package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Schemas that join others in all ways, of objects with the properties a and b and of short lists,
 * and all values that such a schema is asked about.
 */
final class RandomCombination {
  private static final List<String> SCALARS =
      List.of("0", "1", "5", "2.5", "\"\"", "\"x\"", "\"xyz\"", "\"2024-02-29\"", "null", "true");

  private final SplittableRandom random;

  private RandomCombination(SplittableRandom random) {
    this.random = random;
  }

  static JsonNode of(SplittableRandom random) {
    RandomCombination schemas = new RandomCombination(random);
    ObjectNode root = schemas.combination(3);
    if (random.nextInt(3) == 0) {
      root.putObject("$defs").set("shared", schemas.combination(1));
      ObjectNode reference = Structured.JSON.createObjectNode().put("$ref", "#/$defs/shared");
      (root.has("allOf") ? (ArrayNode) root.get("allOf") : root.putArray("allOf")).add(reference);
    }
    JsonNode shared = root.remove("$defs");
    ObjectNode closed = schemas.closed(root);
    if (shared != null) {
      closed.set("$defs", shared);
    }
    return closed;
  }

  /** With all types named and no other properties, so that nothing valid is left out. */
  private ObjectNode closed(ObjectNode schema) {
    ObjectNode closed =
        (ObjectNode)
            parse(
                """
                {"type": ["object", "array", "string", "number", "null", "boolean"],
                 "properties": {"a": {}, "b": {}}, "additionalProperties": false}\
                """);
    closed.putArray("allOf").add(schema);
    return closed;
  }

  /** Texts of values as such a schema may allow them. */
  static List<String> texts() {
    List<String> texts = new ArrayList<>(SCALARS);
    List<String> some = List.of("0", "5", "\"x\"", "null");
    texts.add("[]");
    texts.add("{}");
    for (String one : some) {
      texts.add("[" + one + "]");
      texts.add("{\"a\":" + one + "}");
      texts.add("{\"b\":" + one + "}");
      for (String two : some) {
        texts.add("[" + one + "," + two + "]");
        texts.add("[" + one + "," + two + "," + one + "]");
        texts.add("{\"a\":" + one + ",\"b\":" + two + "}");
      }
    }
    texts.add("{\"a\":[0]}");
    texts.add("{\"a\":{\"b\":0}}");
    texts.add("[[\"x\"],{\"a\":null}]");
    return texts;
  }

  private ObjectNode combination(int depth) {
    if (depth == 0 || random.nextInt(4) == 0) {
      return simple(depth);
    }
    ObjectNode schema = random.nextBoolean() ? simple(depth) : object();
    switch (random.nextInt(5)) {
      case 0 -> list(schema.putArray("allOf"), depth);
      case 1 -> list(schema.putArray("anyOf"), depth);
      case 2 -> list(schema.putArray("oneOf"), depth);
      case 3 -> schema.set("not", combination(depth - 1));
      default -> {
        schema.set("if", combination(depth - 1));
        if (random.nextBoolean()) {
          schema.set("then", combination(depth - 1));
        }
        if (random.nextBoolean()) {
          schema.set("else", combination(depth - 1));
        }
      }
    }
    return schema;
  }

  private void list(ArrayNode parts, int depth) {
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      parts.add(combination(depth - 1));
    }
  }

  private ObjectNode simple(int depth) {
    ObjectNode schema = object();
    switch (random.nextInt(15)) {
      case 0 ->
          schema.put("type", List.of("object", "string", "integer", "null").get(random.nextInt(4)));
      case 1 -> schema.putArray("type").add("array").add("number");
      case 2 -> schema.putArray("required").add(name());
      case 3, 4 ->
          schema.putObject("properties").set(name(), closed(combination(Math.max(0, depth - 1))));
      case 5 -> schema.put("minimum", random.nextInt(6));
      case 6 -> schema.put("exclusiveMaximum", random.nextInt(6));
      case 7 ->
          schema.put("pattern", List.of("^x", "z$", "^(?!xy)", "x|^$").get(random.nextInt(4)));
      case 8 -> schema.put("maxLength", random.nextInt(4));
      case 9 -> schema.putArray("enum").add(0).add("x").addNull().addObject().put("a", 0);
      case 10 -> schema.set("const", parse(SCALARS.get(random.nextInt(SCALARS.size()))));
      case 11 -> schema.set("items", closed(combination(Math.max(0, depth - 1))));
      case 12 -> schema.put(random.nextBoolean() ? "minItems" : "maxItems", random.nextInt(3));
      case 13 ->
          schema.put(random.nextBoolean() ? "minProperties" : "maxProperties", random.nextInt(3));
      default -> schema.putObject("dependentRequired").putArray("a").add("b");
    }
    return schema;
  }

  private String name() {
    return random.nextBoolean() ? "a" : "b";
  }

  private JsonNode parse(String json) {
    try {
      return Structured.JSON.readTree(json);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private ObjectNode object() {
    return Structured.JSON.createObjectNode();
  }
}
